#include "ops/winograd/winograd.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

struct Case {
  int64_t images, in, out, height, width;
};

class Winograd : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto& [images, in, out, height, width] = GetParam();
    at::manual_seed(31);
    const auto last = at::MemoryFormat::ChannelsLast;
    // Of the size that keeps the spread of the values from layer to layer (He et al., arXiv 1502.01852).
    weight = at::randn({out, in, 3, 3}) * std::sqrt(2.0 / static_cast<double>(9 * in));
    bias = at::randn({out});
    input = at::randn({images, in, height, width}).contiguous(last);
    addend = at::randn({images, out, height, width}).contiguous(last);
    if (!winograd::applies(weight, 1, 1)) GTEST_SKIP() << "this processor has no AVX-512";
  }
  at::Tensor expected(bool adds, bool relu) const {
    auto output = at::conv2d(input.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
    if (adds) output = output + addend;
    return (relu ? output.relu() : output).to(at::kFloat);
  }
  at::Tensor weight, bias, input, addend;
};

// Values of about 1; float32 holds 6e-8 of them, and the transforms multiply an error by up to 100 (Lavin & Gray,
// 2015).
TEST_P(Winograd, AgreesWithTheDefinition) {
  at::NoGradGuard no_grad;
  const auto transformed = winograd::transform_weight(weight);
  for (const bool adds : {false, true}) {
    for (const bool relu : {false, true}) {
      const auto output = winograd::convolution(input, transformed, bias, adds ? addend.clone() : at::Tensor(), relu);
      EXPECT_LT((output - expected(adds, relu)).abs().max().item<double>(), 5e-5) << adds << relu;
      EXPECT_TRUE(output.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST_P(Winograd, LaysTheResultInTheMemoryOfTheAddend) {
  at::NoGradGuard no_grad;
  auto memory = addend.clone();
  const auto output = winograd::convolution(input, winograd::transform_weight(weight), bias, memory, true);
  EXPECT_EQ(output.const_data_ptr(), memory.const_data_ptr());
}

TEST_P(Winograd, GivesThePictureTheSameAloneAndOnOneThread) {
  at::NoGradGuard no_grad;
  const auto transformed = winograd::transform_weight(weight);
  const auto together = winograd::convolution(input, transformed, bias, {}, true);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  for (int64_t i = 0; i < input.size(0); ++i) {
    const auto alone = winograd::convolution(input.narrow(0, i, 1), transformed, bias, {}, true);
    EXPECT_LT((alone - together.narrow(0, i, 1)).abs().max().item<double>(), 1e-6);
  }
  at::set_num_threads(threads);
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const auto& [images, in, out, height, width] = info.param;
  return std::to_string(images) + "x" + std::to_string(in) + "to" + std::to_string(out) + "at" +
         std::to_string(height) + "x" + std::to_string(width);
}

// Tiles of four: sides that are a multiple, that leave one, two or three, and that are less than a tile.
INSTANTIATE_TEST_SUITE_P(Shapes, Winograd,
                         testing::Values(Case{1, 16, 16, 1, 1}, Case{2, 16, 32, 2, 3}, Case{3, 32, 16, 4, 4},
                                         Case{2, 48, 80, 5, 9}, Case{3, 64, 64, 7, 7}, Case{1, 128, 128, 28, 28},
                                         Case{5, 64, 64, 14, 13}),
                         name_of_case);

TEST(WinogradConvolution, OfNoPicturesGivesNone) {
  const auto input = at::empty({0, 16, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto output =
      winograd::convolution(input, winograd::transform_weight(at::zeros({32, 16, 3, 3})), at::zeros({32}), {}, true);
  EXPECT_EQ(output.sizes(), at::IntArrayRef({0, 32, 8, 8}));
}

TEST(WinogradConvolution, LetsWhatIsNoNumberThroughItsActivation) {
  if (!winograd::applies(at::zeros({16, 16, 3, 3}), 1, 1)) GTEST_SKIP() << "this processor has no AVX-512";
  const auto input = at::full({1, 16, 4, 4}, std::nan("")).contiguous(at::MemoryFormat::ChannelsLast);
  const auto transformed = winograd::transform_weight(at::ones({16, 16, 3, 3}));
  EXPECT_TRUE(winograd::convolution(input, transformed, at::zeros({16}), {}, true).isnan().all().item<bool>());
}

TEST(WinogradApplies, OnlyToThreeByThreeOfStrideOneWithChannelsInSixteens) {
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 3, 3}), 2, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 3, 3}), 1, 0));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 3, 3, 3}), 1, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({24, 16, 3, 3}), 1, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 1, 1}), 1, 0));
}

}  // namespace
}  // namespace fer
