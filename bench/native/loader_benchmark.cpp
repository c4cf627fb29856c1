#include "data/loader.h"

#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/grid_sampler.h>
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <numeric>

namespace fer {
namespace {

constexpr Normalization imagenet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
constexpr Augmentation everything{.flip = 0.5F,
                                  .shift = 0.1F,
                                  .scale = 0.2F,
                                  .rotation = 15,
                                  .brightness = 0.2F,
                                  .contrast = 0.2F,
                                  .noise = 0.5F,
                                  .noise_deviation = 5,
                                  .flip_or_noise = 0.5F,
                                  .erase = 0.5F,
                                  .erase_smallest = 0.02F,
                                  .erase_largest = 0.1F,
                                  .coarsen = 0,
                                  .coarsen_smallest = 1};

/// Pictures of the packed size for an input of `size`: an eighth larger.
void augmentation(benchmark::State& state, const Augmentation& settings, int64_t channels) {
  const auto size = state.range(0), packed = size + size / 8;
  const auto pixels = at::randint(0, 256, {packed, packed, channels}, at::kByte);
  const InputFormat format{size, Color::rgb, imagenet};
  auto output = at::empty({size, size, 3}, at::kBFloat16);
  uint64_t index = 0;
  for (auto _ : state) {
    augment(pixels.const_data_ptr<uint8_t>(), packed, packed, channels, settings, format, {1, 0, index++},
            output.mutable_data_ptr<at::BFloat16>());
  }
  state.SetItemsProcessed(state.iterations());
}

/// What `everything` does to a picture, as operators of LibTorch one after the other, with amounts that are not drawn.
void augmentation_composite(benchmark::State& state) {
  const auto size = state.range(0), packed = size + size / 8;
  const auto pixels = at::randint(0, 256, {packed, packed, 3}, at::kByte);
  const auto turn = at::tensor({-0.97F, 0.2F, 0.05F, 0.2F, 0.97F, -0.05F}).view({1, 2, 3});  // turned and mirrored
  const auto mean = at::tensor({0.485F, 0.456F, 0.406F}).view({1, 3, 1, 1});
  const auto deviation = at::tensor({0.229F, 0.224F, 0.225F}).view({1, 3, 1, 1});
  for (auto _ : state) {
    auto image = pixels.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat);
    image = image + 5 * at::randn_like(image);
    const auto grid = at::affine_grid_generator(turn, {1, 3, size, size}, /*align_corners=*/false);
    image = at::grid_sampler(image, grid, /*bilinear*/ 0, /*border*/ 1, /*align_corners=*/false);
    const auto level = image.mean();
    image = (1.1 * ((image - level) * 0.9 + level)).clamp(0, 255);
    image = (image / 255 - mean) / deviation;
    image.narrow(2, size / 4, size / 5).narrow(3, size / 3, size / 4).zero_();
    benchmark::DoNotOptimize(image.to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(augmentation_composite)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(augmentation, none, Augmentation{}, 3)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(augmentation, everything, everything, 3)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(augmentation, everything_grey, everything, 1)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fer
