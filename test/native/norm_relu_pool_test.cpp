#include "ops/norm_relu_pool/norm_relu_pool.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

struct Trial {
  at::Tensor x;
  Norm norm;

  Trial(at::IntArrayRef sizes, at::ScalarType dtype) {
    at::manual_seed(51);
    // Whole numbers over 8, which bfloat16 holds: no two values are one only once they are rounded.
    x = (at::randint(-120, 120, sizes) / 8).to(dtype).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    const auto type = dtype == at::kBFloat16 ? at::kFloat : dtype;
    const auto weight = at::rand({sizes[1]}) + 0.5;
    weight[0] = -1;  // turns its channel around: the smallest becomes the largest
    norm = {.weight = weight.to(type).detach().requires_grad_(),
            .bias = at::randn({sizes[1]}).to(type).detach().requires_grad_(),
            .running_mean = at::zeros({sizes[1]}, type),
            .running_variance = at::ones({sizes[1]}, type),
            .momentum = 0.1,
            .epsilon = 1e-5};
  }

  std::vector<at::Tensor> results(decltype(norm_relu_pool)* op) const {
    const auto output = op(x, norm);
    at::manual_seed(52);
    const auto gradient = at::randn(output.sizes()).to(at::kBFloat16).to(output.scalar_type());
    auto all = torch::autograd::grad({output}, {x, norm.weight, norm.bias},
                                     {gradient.contiguous(at::MemoryFormat::ChannelsLast)});
    all.insert(all.begin(), output.detach());
    return all;
  }
};

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual.to(at::kDouble) - expected.to(at::kDouble)).norm() / expected.to(at::kDouble).norm()).item<double>();
}

class NormReluPool : public testing::TestWithParam<std::vector<int64_t>> {};

// The reference is LibTorch's own operators in float64 on the same numbers; results are rounded to bfloat16, 2^-9 at
// most. Equal values side by side are common here: the first of a window takes the gradient, there as here.
TEST_P(NormReluPool, AgreesWithLibTorchsOperatorsAndTheirGradients) {
  const Trial fast(GetParam(), at::kBFloat16), exact(GetParam(), at::kDouble);
  const auto actual = fast.results(norm_relu_pool), expected = exact.results(norm_relu_pool_composite);
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].sizes(), expected[i].sizes());
    EXPECT_LT(relative_error(actual[i], expected[i]), 0.004) << "result " << i;
  }
  EXPECT_LT(relative_error(fast.norm.running_variance, exact.norm.running_variance), 1e-5);
}

TEST_P(NormReluPool, GivesTheSameBitsOnOneThread) {
  const auto many = Trial(GetParam(), at::kBFloat16).results(norm_relu_pool);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto single = Trial(GetParam(), at::kBFloat16).results(norm_relu_pool);
  at::set_num_threads(threads);
  for (size_t i = 0; i < many.size(); ++i) EXPECT_TRUE(many[i].equal(single[i])) << "result " << i;
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormReluPool,
                         testing::Values(std::vector<int64_t>{2, 16, 2, 2}, std::vector<int64_t>{3, 48, 7, 5},
                                         std::vector<int64_t>{2, 64, 1, 9}, std::vector<int64_t>{4, 64, 32, 30},
                                         std::vector<int64_t>{2, 16, 113, 112}));

TEST(NormReluPoolFallback, TakesLibTorchsOperatorsInFloat32) {
  const std::vector<int64_t> sizes{2, 16, 8, 8};
  EXPECT_TRUE(Trial(sizes, at::kFloat)
                  .results(norm_relu_pool)[1]
                  .equal(Trial(sizes, at::kFloat).results(norm_relu_pool_composite)[1]));
}

TEST(NormReluPool, LetsWhatIsNotANumberThrough) {
  Trial trial({2, 16, 8, 8}, at::kBFloat16);
  {
    at::NoGradGuard no_grad;
    trial.x[1][3][2][1] = std::nan("");
  }
  const auto output = norm_relu_pool(trial.x, trial.norm);
  EXPECT_TRUE(output.select(1, 3).isnan().all().item<bool>());
  EXPECT_FALSE(output.select(1, 4).isnan().any().item<bool>());
}

}  // namespace
}  // namespace fer
