#include "ops/preprocess/preprocess_kernels.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "on_host.h"

namespace fer {
namespace {

using namespace preprocess_kernels;

const Normalization normalization{{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}};

at::Tensor pictures(int64_t channels) {
  at::manual_seed(46);
  return at::randint(0, 256, {3, 17, 23, channels}, at::kByte);
}

TEST(PreprocessOnHost, MakesTheSameGreyAsTheCpu) {
  const auto pixels = pictures(3), expected = grey(pixels);
  for (const auto order : orders) {
    auto actual = at::full_like(expected, 77);
    run_each_on_host(Grey{pixels.const_data_ptr<uint8_t>(), actual.mutable_data_ptr<uint8_t>()}, expected.numel(),
                     order);
    EXPECT_TRUE(actual.equal(expected));
  }
}

template <typename scalar_t>
void expect_normalised(int64_t channels, at::ScalarType dtype, double tolerance) {
  const auto pixels = pictures(channels), expected = normalise(pixels, normalization, Encoding{dtype});
  for (const auto order : orders) {
    auto actual = at::full_like(expected, NAN);
    run_each_on_host(Normalise<scalar_t>{pixels.const_data_ptr<uint8_t>(), static_cast<int>(channels),
                                         Levels(normalization), actual.mutable_data_ptr<scalar_t>()},
                     expected.numel() / 3, order);
    EXPECT_TRUE(at::allclose(actual, expected, tolerance, tolerance));
  }
}

TEST(PreprocessOnHost, NormalisesAsTheCpu) {
  for (const int64_t channels : {1, 3}) {
    expect_normalised<float>(channels, at::kFloat, 1e-6);
    expect_normalised<at::BFloat16>(channels, at::kBFloat16, 0.004);
  }
}

}  // namespace
}  // namespace fer
