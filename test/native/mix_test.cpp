#include "data/mix.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

Draw draw(uint64_t position) { return {4, 0, position, Purpose::mix}; }

/// Picture i is of level i all over, and of class i.
Batch levels(int64_t count) {
  const auto level = at::arange(count, at::kFloat).view({count, 1, 1, 1});
  return {level.expand({count, 3, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast), at::eye(count)};
}

TEST(DrawBeta, HasTheMomentsOfTheDistribution) {
  for (const double alpha : {0.2, 0.5, 1.0}) {
    Draw random(8, 0, 0, Purpose::mix);
    constexpr int64_t count = 20000;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double value = draw_beta(alpha, random);
      EXPECT_GE(value, 0);
      EXPECT_LE(value, 1);
      sum += value;
      squares += (value - 0.5) * (value - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    EXPECT_NEAR(sum / count, 0.5, 4 * std::sqrt(variance / count)) << alpha;
    EXPECT_NEAR(squares / count, variance, 0.03 * variance) << alpha;
  }
}

TEST(Mix, NothingLeavesTheBatchAsItIs) {
  auto batch = levels(6);
  mix(batch, {.mixup = 0, .cutmix = 0}, draw(0));
  EXPECT_TRUE(batch.images.equal(levels(6).images));
  EXPECT_TRUE(batch.targets.equal(levels(6).targets));
}

TEST(Mixup, BlendsPicturesAsItBlendsTargets) {
  std::set<double> shares;
  for (uint64_t position = 0; position < 8; ++position) {
    auto batch = levels(6);
    mix(batch, {.mixup = 1, .cutmix = 0}, draw(position));
    for (int64_t i = 0; i < 6; ++i) {
      // The level is the mean of classes that the target gives.
      const auto expected = (batch.targets[i] * at::arange(6)).sum();
      EXPECT_LT((batch.images[i] - expected).abs().max().item<float>(), 1e-5F);
      EXPECT_NEAR(batch.targets[i].sum().item<double>(), 1, 1e-6);
    }
    shares.insert(batch.targets[0][0].item<double>());
  }
  EXPECT_EQ(shares.size(), 8U);
}

TEST(Cutmix, ReplacesARectangleAndItsShareOfTheTarget) {
  bool some = false;
  for (uint64_t position = 0; position < 30; ++position) {
    auto batch = levels(6);
    mix(batch, {.mixup = 0, .cutmix = 1}, draw(position));
    for (int64_t i = 0; i < 6; ++i) {
      const auto picture = batch.images[i][0];
      const auto other = picture == static_cast<double>(5 - i);
      EXPECT_TRUE((other | (picture == static_cast<double>(i))).all().item<bool>());
      const double share = other.to(at::kFloat).mean().item<double>();
      EXPECT_NEAR(batch.targets[i][5 - i].item<double>(), share, 1e-6);
      EXPECT_NEAR(batch.targets[i][i].item<double>(), 1 - share, 1e-6);
      // A rectangle: as many pixels as the rows and columns that it touches span.
      const auto rows = other.any(1).sum().item<int64_t>(), columns = other.any(0).sum().item<int64_t>();
      EXPECT_EQ(other.sum().item<int64_t>(), rows * columns);
      some = some || (share > 0 && share < 1);
    }
  }
  EXPECT_TRUE(some);
}

TEST(Mix, OfTwoTakesNowOneNowTheOther) {
  int64_t blended = 0;
  for (uint64_t position = 0; position < 100; ++position) {
    auto batch = levels(6);
    mix(batch, {.mixup = 1, .cutmix = 1}, draw(position));
    blended += (batch.images[0] != batch.images[0].round()).any().item<bool>();
  }
  EXPECT_GT(blended, 30);
  EXPECT_LT(blended, 70);
}

TEST(Mix, KeepsTheMemoryLayoutAndTheType) {
  auto batch = levels(4);
  batch.images = batch.images.to(at::kBFloat16);
  mix(batch, {.mixup = 1, .cutmix = 0}, draw(1));
  EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(batch.images.scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace fer
