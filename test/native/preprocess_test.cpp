#include "ops/preprocess/preprocess.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "ops/resize/resize.h"

namespace fer {
namespace {

TEST(Luma, IsTheWeightedSumRounded) {
  // (200, 50, 30): 59.8 + 29.35 + 3.42 = 92.57.
  EXPECT_EQ(luma(200, 50, 30), 93);
  EXPECT_EQ(luma(255, 255, 255), 255);
  EXPECT_EQ(luma(0, 0, 0), 0);
  for (int level = 0; level < 256; ++level) EXPECT_EQ(luma(level, level, level), level);
}

TEST(Preprocess, NormalisesEachChannelByItsOwnMeanAndDeviation) {
  const auto pixels = at::tensor({0, 51, 255}, at::kByte).view({1, 1, 1, 3}).expand({1, 4, 4, 3});
  const auto output = preprocess(pixels, {4, Color::rgb, {{0.5F, 0.2F, 0.25F}, {0.5F, 0.1F, 0.75F}}});
  EXPECT_EQ(output.sizes(), at::IntArrayRef({1, 3, 4, 4}));
  EXPECT_NEAR(output[0][0][1][2].item<float>(), -1.0F, 1e-6F);
  EXPECT_NEAR(output[0][1][1][2].item<float>(), 0.0F, 1e-6F);
  EXPECT_NEAR(output[0][2][1][2].item<float>(), 1.0F, 1e-6F);
}

TEST(Preprocess, AGreyModelSeesTheLumaInEveryChannel) {
  const auto pixels = at::tensor({200, 50, 30}, at::kByte).view({1, 1, 1, 3}).expand({1, 4, 4, 3});
  const auto output = preprocess(pixels, {4, Color::grey, {{0, 0, 0}, {1, 1, 1}}});
  EXPECT_LT((output - 93.0F / 255.0F).abs().max().item<float>(), 1e-6F);
}

TEST(Preprocess, AGreyPictureIsTheSameToARgbModelAsItsCopyInThreeChannels) {
  at::manual_seed(1);
  const auto grey = at::randint(0, 256, {2, 50, 40, 1}, at::kByte);
  const InputFormat format{32, Color::rgb, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}}};
  EXPECT_TRUE(preprocess(grey, format).equal(preprocess(grey.expand({2, 50, 40, 3}).contiguous(), format)));
}

// The definition: a triangle filter as wide as the scale, around half-pixel centres, normalised at the edges.
at::Tensor reference_resize_rows(const at::Tensor& rows, int64_t size) {
  const auto length = rows.size(0);
  const double scale = static_cast<double>(length) / static_cast<double>(size), support = std::max(scale, 1.0);
  auto weights = at::zeros({size, length}, at::kDouble);
  for (int64_t i = 0; i < size; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    for (int64_t j = 0; j < length; ++j)
      weights[i][j] = std::max(0.0, 1.0 - std::abs(static_cast<double>(j) + 0.5 - center) / support);
  }
  return at::matmul(weights / weights.sum(1, true), rows.flatten(1)).view({size, rows.size(1), rows.size(2)});
}

class ResizeSizes : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};

TEST_P(ResizeSizes, AgreesWithItsDefinitionWithinOneGreyLevel) {
  const auto [height, width, size] = GetParam();
  at::manual_seed(2);
  for (const int64_t channels : {1, 3}) {
    const auto pixels = at::randint(0, 256, {1, height, width, channels}, at::kByte);
    const auto columns = reference_resize_rows(pixels[0].to(at::kDouble), size);
    const auto expected = reference_resize_rows(columns.transpose(0, 1).contiguous(), size).transpose(0, 1);
    const auto actual = resize(pixels, size, size)[0].to(at::kDouble);
    EXPECT_LE((actual - expected).abs().max().item<double>(), 1.0) << channels << " channels";
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ResizeSizes,
                         testing::Values(std::tuple{48, 48, 64}, std::tuple{96, 80, 64}, std::tuple{333, 127, 64},
                                         std::tuple{7, 5, 32}, std::tuple{1, 1, 8}, std::tuple{224, 224, 48}));

TEST(Resize, ToTheSameSizeIsTheSameMemory) {
  const auto pixels = at::zeros({1, 8, 8, 3}, at::kByte);
  EXPECT_EQ(resize(pixels, 8, 8).data_ptr(), pixels.data_ptr());
}

}  // namespace
}  // namespace fer
