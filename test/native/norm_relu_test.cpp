#include "ops/norm_relu/norm_relu.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/reference.h"

namespace fer {
namespace {

struct Case {
  int64_t images, channels, height, width;
  bool adds, relu;
};

/// Arguments, and what comes of them.
struct Trial {
  at::Tensor x, addend;
  Norm norm;

  Trial(const Case& one, at::ScalarType dtype, double mean = 0.5) {
    at::manual_seed(41);
    const auto map = [&] {
      return at::randn({one.images, one.channels, one.height, one.width})
          .to(at::kBFloat16)
          .to(dtype)
          .contiguous(at::MemoryFormat::ChannelsLast);
    };
    x = (map() * 2 + mean).to(at::kBFloat16).to(dtype).detach().requires_grad_();
    if (one.adds) addend = map().detach().requires_grad_();
    const auto type = dtype == at::kBFloat16 ? at::kFloat : dtype;
    norm = {.weight = (at::rand({one.channels}) + 0.5).to(type).detach().requires_grad_(),
            .bias = at::randn({one.channels}).to(type).detach().requires_grad_(),
            .running_mean = at::zeros({one.channels}, type),
            .running_variance = at::ones({one.channels}, type),
            .momentum = 0.1,
            .epsilon = 1e-5};
  }

  std::vector<at::Tensor> inputs() const {
    std::vector<at::Tensor> all{x, norm.weight, norm.bias};
    if (addend.defined()) all.push_back(addend);
    return all;
  }

  /// The output, then the gradients of the inputs for a gradient that differs from place to place.
  std::vector<at::Tensor> results(decltype(norm_relu)* op, bool relu) const {
    const auto output = op(x, addend, norm, relu);
    at::manual_seed(42);
    const auto gradient = at::randn(output.sizes()).to(at::kBFloat16).to(output.scalar_type());
    auto all = torch::autograd::grad({output}, inputs(), {gradient.contiguous(at::MemoryFormat::ChannelsLast)});
    all.insert(all.begin(), output.detach());
    return all;
  }
};

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual.to(at::kDouble) - expected.to(at::kDouble)).norm() / expected.to(at::kDouble).norm()).item<double>();
}

class NormRelu : public testing::TestWithParam<Case> {};

// The reference is LibTorch's own operators in float64 on the same numbers. Results are rounded to bfloat16, 2^-9 at
// most; where the rounded output is zero or not decides what passes back, which a few places see differently.
TEST_P(NormRelu, AgreesWithLibTorchsOperatorsAndTheirGradients) {
  const auto& one = GetParam();
  const Trial fast(one, at::kBFloat16), exact(one, at::kDouble);
  ASSERT_TRUE(norm_relu_kernels::applies(fast.x, fast.addend));
  const auto actual = fast.results(norm_relu, one.relu), expected = exact.results(norm_relu_composite, one.relu);
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].sizes(), expected[i].sizes());
    EXPECT_LT(relative_error(actual[i], expected[i]), 0.004) << "result " << i;
  }
  EXPECT_LT(relative_error(fast.norm.running_mean, exact.norm.running_mean), 1e-5);
  EXPECT_LT(relative_error(fast.norm.running_variance, exact.norm.running_variance), 1e-5);
}

TEST_P(NormRelu, GivesTheSameBitsOnOneThread) {
  const auto& one = GetParam();
  const auto many = Trial(one, at::kBFloat16).results(norm_relu, one.relu);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto single = Trial(one, at::kBFloat16).results(norm_relu, one.relu);
  at::set_num_threads(threads);
  for (size_t i = 0; i < many.size(); ++i) EXPECT_TRUE(many[i].equal(single[i])) << "result " << i;
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const auto& one = info.param;
  return std::to_string(one.images) + "x" + std::to_string(one.channels) + "at" + std::to_string(one.height) + "x" +
         std::to_string(one.width) + (one.adds ? "adds" : "") + (one.relu ? "relu" : "");
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormRelu,
                         testing::Values(Case{2, 16, 1, 1, false, true}, Case{3, 48, 5, 7, true, true},
                                         Case{4, 64, 9, 9, false, true}, Case{4, 64, 9, 9, true, false},
                                         Case{2, 512, 7, 7, true, true}, Case{5, 80, 33, 31, false, false}),
                         name_of_case);

/// Mean and variance of the batch: what the running ones become that keep nothing of themselves.
std::pair<at::Tensor, at::Tensor> statistics(const at::Tensor& x) {
  const auto channels = x.size(1), count = x.numel() / channels;
  const Norm norm{at::ones({channels}), at::zeros({channels}), at::zeros({channels}), at::ones({channels}), 1, 1e-5};
  norm_relu_kernels::normalization(x, norm);
  const auto unbiased = static_cast<double>(count - 1) / static_cast<double>(count);
  return {norm.running_mean, norm.running_variance * unbiased};
}

TEST(NormReluStatistics, KeepTheVarianceBesideALargeMean) {
  // bfloat16 keeps steps of 0.5 at 100, well below the deviation of 2: squares of 10,000 would leave float32 0.001.
  const Trial trial({8, 32, 32, 32, false, true}, at::kBFloat16, 100);
  const auto [mean, variance] = statistics(trial.x.detach());
  const auto values = trial.x.detach().to(at::kDouble);
  EXPECT_LT(relative_error(mean, values.mean({0, 2, 3})), 1e-6);
  EXPECT_LT(relative_error(variance, values.var({0, 2, 3}, /*unbiased=*/false)), 1e-5);
}

TEST(NormReluStatistics, OfWhatIsNotANumberAreNotEither) {
  auto x = at::randn({2, 16, 4, 4}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  x[1][3][2][1] = std::nan("");
  const auto [mean, variance] = statistics(x);
  EXPECT_TRUE(std::isnan(mean[3].item<float>()) && std::isnan(variance[3].item<float>()));
  EXPECT_FALSE(std::isnan(mean[4].item<float>()));
}

TEST(NormReluFallback, TakesLibTorchsOperatorsForWhatItIsNotWrittenFor) {
  const auto float32 = Trial({2, 16, 4, 4, false, true}, at::kFloat);
  const auto rows = float32.x.detach().to(at::kBFloat16).contiguous(at::MemoryFormat::Contiguous);
  const auto odd = at::randn({2, 24, 4, 4}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  for (const auto& x : {float32.x, rows, odd}) EXPECT_FALSE(norm_relu_kernels::applies(x, {}));
  const auto again = Trial({2, 16, 4, 4, false, true}, at::kFloat);
  EXPECT_TRUE(float32.results(norm_relu, true)[0].equal(again.results(norm_relu_composite, true)[0]));
}

TEST(NormReluFallback, IsAskedForByAReferenceScope) {
  const Case one{2, 16, 4, 4, true, true};
  ReferenceScope slow;
  const auto asked = Trial(one, at::kBFloat16).results(norm_relu, true);
  const auto composite = Trial(one, at::kBFloat16).results(norm_relu_composite, true);
  for (size_t i = 0; i < asked.size(); ++i) EXPECT_TRUE(asked[i].equal(composite[i])) << "result " << i;
}

}  // namespace
}  // namespace fer
