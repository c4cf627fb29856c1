#include "ops/de_albino/de_albino.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/precision.h"
#include "ops/de_albino/de_albino_math.h"

namespace fer {
namespace {

at::Tensor features(int64_t images, int64_t maps, int64_t height, int64_t width, at::ScalarType dtype = at::kFloat) {
  return at::randn({images, 256 * maps, height, width}, at::TensorOptions().dtype(dtype));
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.numel() == 0 ? 0.0 : (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class DeAlbinoShapes : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t, int64_t>> {};

// The reference is the definition itself: pixel shuffle, then a convolution with the shared kernel.
TEST_P(DeAlbinoShapes, EqualsPixelShuffleAndConvolution) {
  const auto [images, maps, height, width] = GetParam();
  at::manual_seed(7);
  const auto x = features(images, maps, height, width, at::kDouble);
  const auto kernel = at::randn({32, 32}, at::kDouble);
  const auto expected = de_albino_composite(x, kernel);
  EXPECT_LT(largest_difference(de_albino(x, kernel), expected), 1e-11);
  EXPECT_LT(largest_difference(de_albino(x.contiguous(at::MemoryFormat::ChannelsLast), kernel), expected), 1e-11);
}

TEST_P(DeAlbinoShapes, HasTheGradientsOfPixelShuffleAndConvolution) {
  const auto [images, maps, height, width] = GetParam();
  at::manual_seed(8);
  auto x = features(images, maps, height, width, at::kDouble).requires_grad_();
  auto kernel = at::randn({32, 32}, at::kDouble).requires_grad_();
  const auto reference = de_albino_composite(x, kernel);
  const auto weight = at::randn_like(reference);
  const auto expected = torch::autograd::grad({reference}, {x, kernel}, {weight});
  const auto actual = torch::autograd::grad({de_albino(x, kernel)}, {x, kernel}, {weight});
  EXPECT_LT(largest_difference(actual[0], expected[0]), 1e-11);
  EXPECT_LT(largest_difference(actual[1], expected[1]), 1e-10);
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeAlbinoShapes,
                         testing::Values(std::tuple{2, 2, 7, 7}, std::tuple{3, 1, 6, 6}, std::tuple{1, 2, 4, 4},
                                         std::tuple{5, 2, 3, 3}, std::tuple{2, 3, 2, 2}, std::tuple{1, 1, 2, 5},
                                         std::tuple{2, 2, 6, 3}, std::tuple{64, 2, 4, 4}));

TEST(DeAlbino, GradientsAgreeWithFiniteDifferences) {
  at::manual_seed(9);
  auto x = features(1, 1, 3, 3, at::kDouble).requires_grad_();
  auto kernel = at::randn({32, 32}, at::kDouble).requires_grad_();
  const auto weight = at::randn({1, 1, 3, 3}, at::kDouble);
  const auto value = [&] { return (de_albino(x.detach(), kernel.detach()) * weight).sum().item<double>(); };
  const auto gradients = torch::autograd::grad({(de_albino(x, kernel) * weight).sum()}, {x, kernel});
  // The operator is linear in each argument, so a central difference is exact up to rounding.
  constexpr double step = 1e-3;
  at::Tensor arguments[] = {x, kernel};
  for (int which = 0; which < 2; ++which) {
    auto flat = arguments[which].detach().view(-1);
    const auto gradient = gradients[which].contiguous().view(-1);
    for (int64_t i = 0; i < flat.numel(); i += 37) {
      const double kept = flat[i].item<double>();
      flat[i] = kept + step;
      const double above = value();
      flat[i] = kept - step;
      const double below = value();
      flat[i] = kept;
      EXPECT_NEAR((above - below) / (2 * step), gradient[i].item<double>(), 1e-8)
          << "argument " << which << ", value " << i;
    }
  }
}

TEST(DeAlbino, ReadsFeaturesThatAreNotDense) {
  at::manual_seed(10);
  const auto wide = features(4, 4, 5, 7);
  const auto x = wide.slice(0, 0, 4, 2).slice(1, 256, 768).slice(3, 1, 6);
  const auto kernel = at::randn({64, 64}).slice(0, 0, 64, 2).slice(1, 0, 64, 2);
  EXPECT_LT(largest_difference(de_albino(x, kernel), de_albino_composite(x.contiguous(), kernel.contiguous())), 2e-3);
}

TEST(DeAlbino, TakesAnEmptyBatch) {
  EXPECT_EQ(de_albino(features(0, 2, 4, 4), at::randn({32, 32})).sizes(), at::IntArrayRef({0, 2, 5, 5}));
}

TEST(DeAlbino, InBfloat16StaysWithinItsRounding) {
  at::manual_seed(11);
  const auto x = features(8, 2, 7, 7), kernel = at::randn({32, 32}) / 32;
  const auto exact = de_albino_composite(x, kernel);
  AutocastScope autocast(Precision::bfloat16);
  const auto rounded = de_albino(x, kernel);
  EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
  // Values have deviation 1; bfloat16 keeps 8 bits, and up to nine rounded products meet in an output.
  EXPECT_LT(largest_difference(rounded, exact), 0.06);
}

TEST(DeAlbino, FallsBackToTheCompositeForOtherSettings) {
  at::manual_seed(12);
  auto x = at::randn({2, 32, 6, 6}, at::kDouble).requires_grad_();
  auto kernel = at::randn({8, 8}, at::kDouble).requires_grad_();
  const DeAlbinoSettings settings{.upscale = 4, .stride = 2};
  const auto output = de_albino(x, kernel, settings);
  EXPECT_EQ(output.sizes(), at::IntArrayRef({2, 2, 9, 9}));  // (4 * 6 - 8) / 2 + 1
  EXPECT_EQ(largest_difference(output, de_albino_composite(x, kernel, settings)), 0.0);
  output.sum().backward();
  EXPECT_TRUE(x.grad().defined() && kernel.grad().defined());
}

TEST(DeAlbino, RefusesShapesThatCannotBeArranged) {
  EXPECT_THROW(de_albino(at::randn({1, 300, 4, 4}), at::randn({32, 32})), c10::Error);
  EXPECT_THROW(de_albino(at::randn({1, 256, 1, 1}), at::randn({32, 32})), c10::Error);
  EXPECT_THROW(de_albino(at::randn({256, 4, 4}), at::randn({32, 32})), c10::Error);
  EXPECT_THROW(de_albino(at::randn({1, 256, 4, 4}), at::randn({32, 31})), c10::Error);
}

TEST(DeAlbinoMath, EveryKernelCellIsReachedByEveryPhase) {
  // Four phase pairs, each of which covers the kernel exactly once.
  std::vector<int> visits(32 * 32, 0);
  de_albino_math::for_each_cell(
      [&](int64_t, int64_t, int64_t u, int64_t v) { ++visits[static_cast<size_t>(u * 32 + v)]; });
  for (const int count : visits) EXPECT_EQ(count, 4);
}

}  // namespace
}  // namespace fer
