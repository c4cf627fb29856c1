#include "data/augment_kernels.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/random.h"
#include "data/augment_batch.h"
#include "every_augmentation.h"
#include "on_host.h"

namespace fer {
namespace {

/// The words that LibTorch's engine, and so the CPU's noise, draws for this key and stream.
TEST(PhiloxOnHost, DrawsWhatTheCpuDraws) {
  constexpr int64_t count = 256;
  uint32_t expected[count];
  draw_words(0x123456789ABCDEFULL, 0xFEDCBA987654321ULL, 64, count, expected);
  for (uint64_t block = 0; block < count / 4; ++block) {
    const PhiloxBlock random(0x123456789ABCDEFULL, 0xFEDCBA987654321ULL, 16 + block);
    // 16 blocks lie side by side, word by word.
    for (uint64_t word = 0; word < 4; ++word) {
      EXPECT_EQ(random.words[word], expected[block / 16 * 64 + word * 16 + block % 16]);
    }
  }
}

const InputFormat format{40, Color::rgb, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}}};

/// Pictures of several sizes, in grey and in colour, a pixel and a row among them.
std::vector<at::Tensor> pictures() {
  at::manual_seed(47);
  std::vector<at::Tensor> all;
  for (int i = 0; i < 4; ++i) {
    for (const auto& [height, width] : {std::pair{48, 48}, {33, 51}, {1, 1}, {1, 30}, {90, 7}}) {
      all.push_back(at::randint(0, 256, {1, height, width, i % 2 == 0 ? 1 : 3}, at::kByte));
    }
  }
  return all;
}

Position position_of(size_t i) { return {11, 2, i}; }

template <typename scalar_t>
at::Tensor on_cpu(const Augmentation& settings, at::ScalarType dtype) {
  const auto all = pictures();
  auto output = at::full({static_cast<int64_t>(all.size()), format.size, format.size, 3}, NAN, dtype);
  for (size_t i = 0; i < all.size(); ++i) {
    augment(all[i].const_data_ptr<uint8_t>(), all[i].size(1), all[i].size(2), all[i].size(3), settings, format,
            position_of(i), output[static_cast<int64_t>(i)].mutable_data_ptr<scalar_t>());
  }
  return output;
}

/// As augment_cuda.cu puts the kernels together.
template <typename scalar_t>
at::Tensor on_host(const Augmentation& settings, at::ScalarType dtype, Order order) {
  PictureBatch batch;
  const auto all = pictures();
  for (size_t i = 0; i < all.size(); ++i) batch.add(all[i], settings, format, position_of(i));
  auto pixels = batch.pixels(/*pinned=*/false);
  const auto placed = batch.placed(/*pinned=*/false);
  const auto* pictures = reinterpret_cast<const Placed*>(placed.const_data_ptr<uint8_t>());
  auto means = at::full({batch.size()}, NAN);
  run_on_host(
      NoiseAndMean{pixels.mutable_data_ptr<uint8_t>(), pictures, noise_quantiles(), means.mutable_data_ptr<float>()},
      NoiseAndMean::launch(batch.size()), order);
  auto output = at::full({batch.size(), format.size, format.size, 3}, NAN, dtype);
  run_each_on_host(Resample<scalar_t>{pixels.const_data_ptr<uint8_t>(), pictures, means.const_data_ptr<float>(),
                                      format.size, output.mutable_data_ptr<scalar_t>()},
                   output.numel() / 3, order);
  return output;
}

template <typename scalar_t>
void expect_same(const Augmentation& settings, at::ScalarType dtype, double tolerance) {
  const auto expected = on_cpu<scalar_t>(settings, dtype);
  for (const auto order : orders) {
    const auto actual = on_host<scalar_t>(settings, dtype, order);
    const auto difference = (actual.to(at::kFloat) - expected.to(at::kFloat)).abs().max().template item<float>();
    EXPECT_LT(difference, tolerance);
  }
}

// The CPU may multiply and add in one rounding, which moves where a pixel is read by a millionth of the picture.
TEST(AugmentOnHost, DoesWhatTheCpuDoes) {
  expect_same<float>(everything(), at::kFloat, 1e-2);
  expect_same<at::BFloat16>(everything(), at::kBFloat16, 3e-2);
}

TEST(AugmentOnHost, DoesWhatTheCpuDoesOneThingAtATime) {
  Augmentation nothing{};
  nothing.coarsen_smallest = 1;
  auto noise = nothing, light = nothing, erase = nothing, turn = nothing;
  noise.noise = 1;
  noise.noise_deviation = 25;
  light.brightness = light.contrast = 0.5F;
  erase.erase = 1;
  erase.erase_smallest = 0.1F;
  erase.erase_largest = 0.5F;
  turn.rotation = 45;
  for (const auto& settings : {nothing, noise, light, erase, turn}) expect_same<float>(settings, at::kFloat, 1e-3);
}

}  // namespace
}  // namespace fer
