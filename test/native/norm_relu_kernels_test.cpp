#include "ops/norm_relu/norm_relu_kernels.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "on_host.h"
#include "ops/norm_relu/norm_relu.h"

namespace fer {
namespace {

using namespace norm_relu_kernels;
using at::BFloat16;

struct Case {
  int64_t images, channels, height, width;
  bool adds, relu;
};

const BFloat16* pointer(const at::Tensor& map) { return map.defined() ? map.const_data_ptr<BFloat16>() : nullptr; }
const float* floats(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* to_floats(at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

/// What a kernel is to write; NaN so far.
at::Tensor unwritten(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat) { return at::full(sizes, NAN, dtype); }
at::Tensor unwritten_like(const at::Tensor& map) { return at::full_like(map, NAN); }

Extent extent_of(const at::Tensor& map) { return {map.numel() / map.size(1), map.size(1)}; }

/// As norm_relu_cuda.cu puts the kernels together.
struct OnHost {
  Order order;

  template <typename Terms>
  at::Tensor sums(const Terms& terms, Extent extent) const {
    const auto pieces = SumRows<Terms>::pieces_for(extent);
    auto sums = unwritten({pieces, 2, extent.channels});
    const SumRows<Terms> kernel{terms, extent, pieces, to_floats(sums)};
    run_on_host(kernel, kernel.launch(), order);
    return sums;
  }
  static Pieces pieces(const at::Tensor& sums) { return {floats(sums), sums.size(0), sums.size(2)}; }

  NormValues normalization(const at::Tensor& x, const Norm& norm) const {
    const auto extent = extent_of(x);
    const auto summed = sums(MomentTerms{pointer(x), extent.channels}, extent);
    auto empty = [&] { return unwritten({extent.channels}); };
    NormValues values{norm.weight, empty(), empty(), empty(), empty()};
    auto mean = norm.running_mean, variance = norm.running_variance;
    const FinishNorm finish{pieces(summed),
                            pointer(x),
                            static_cast<double>(extent.rows),
                            norm.momentum,
                            norm.epsilon,
                            floats(norm.weight),
                            floats(norm.bias),
                            to_floats(mean),
                            to_floats(variance),
                            to_floats(values.scale),
                            to_floats(values.shift),
                            to_floats(values.mean),
                            to_floats(values.inverse_deviation)};
    run_each_on_host(finish, extent.channels, order);
    return values;
  }

  at::Tensor forward(const at::Tensor& x, const at::Tensor& addend, const NormValues& values, bool relu) const {
    auto output = unwritten_like(x);
    const auto extent = extent_of(x);
    run_each_on_host(Normalize{pointer(x), pointer(addend), extent, floats(values.scale), floats(values.shift), relu,
                               output.mutable_data_ptr<BFloat16>()},
                     extent.octets(), order);
    return output;
  }

  Gradients backward(const at::Tensor& gradient, const Saved& saved) const {
    const auto& values = saved.values;
    const auto extent = extent_of(saved.x);
    Masked masked{pointer(gradient),    pointer(saved.x),     pointer(saved.output),
                  floats(values.scale), floats(values.shift), saved.relu};
    auto passed = saved.adds ? (saved.relu ? unwritten_like(gradient) : gradient) : at::Tensor();
    auto* kept = saved.adds && saved.relu ? passed.mutable_data_ptr<BFloat16>() : nullptr;
    const auto summed = sums(GradientTerms{masked, floats(values.mean), extent.channels, kept}, extent);
    auto empty = [&] { return unwritten({extent.channels}); };
    auto weight = empty(), bias = empty(), by_x = empty(), constant = empty();
    run_each_on_host(FinishGradients{pieces(summed), static_cast<double>(extent.rows), floats(values.scale),
                                     floats(values.mean), floats(values.inverse_deviation), to_floats(weight),
                                     to_floats(bias), to_floats(by_x), to_floats(constant)},
                     extent.channels, order);
    auto to_x = unwritten_like(saved.x);
    run_each_on_host(Combine{masked, extent, floats(values.scale), floats(by_x), floats(constant),
                             to_x.mutable_data_ptr<BFloat16>()},
                     extent.octets(), order);
    return {to_x, passed, weight, bias};
  }
};

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const auto exact = expected.to(at::kDouble);
  return ((actual.to(at::kDouble) - exact).norm() / exact.norm().clamp_min(1e-12)).item<double>();
}

class NormReluOnHost : public testing::TestWithParam<Case> {};

// The CPU's kernels, which agree with LibTorch's, add the same numbers in another order: in float32, then in float64.
TEST_P(NormReluOnHost, AgreesWithTheCpuInAnyOrderOfThreads) {
  const auto& one = GetParam();
  at::manual_seed(43);
  const auto map = [&](double mean = 0) {
    return (at::randn({one.images, one.channels, one.height, one.width}) + mean)
        .to(at::kBFloat16)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  const auto norm = [&] {
    at::manual_seed(44);
    return Norm{at::rand({one.channels}) + 0.5,
                at::randn({one.channels}),
                at::zeros({one.channels}),
                at::ones({one.channels}),
                0.1,
                1e-5};
  };
  const auto x = map(3), addend = one.adds ? map() : at::Tensor(), gradient = map();
  ASSERT_TRUE(applies(x, addend));
  const auto expected_norm = norm();
  const auto expected_values = normalization(x, expected_norm);
  const auto expected = forward(x, addend, expected_values, one.relu);
  const auto output = one.adds && one.relu ? expected : at::Tensor();
  const Saved saved{x, output, expected_values, one.adds, one.relu};
  const auto expected_gradients = backward(gradient, saved);
  for (const auto order : orders) {
    const OnHost host{order};
    const auto actual_norm = norm();
    const auto values = host.normalization(x, actual_norm);
    EXPECT_LT(relative_error(values.mean, expected_values.mean), 1e-6);
    EXPECT_LT(relative_error(values.inverse_deviation, expected_values.inverse_deviation), 1e-6);
    EXPECT_LT(relative_error(values.scale, expected_values.scale), 1e-6);
    EXPECT_LT(relative_error(values.shift, expected_values.shift), 1e-6);
    EXPECT_LT(relative_error(actual_norm.running_mean, expected_norm.running_mean), 1e-6);
    EXPECT_LT(relative_error(actual_norm.running_variance, expected_norm.running_variance), 1e-6);
    // The CPU may multiply and add in one rounding, which now and then rounds to another bfloat16.
    EXPECT_LT(relative_error(host.forward(x, addend, expected_values, one.relu), expected), 1e-4);
    const auto gradients = host.backward(gradient, saved);
    EXPECT_LT(relative_error(gradients.weight, expected_gradients.weight), 1e-5);
    EXPECT_LT(relative_error(gradients.bias, expected_gradients.bias), 1e-5);
    // Rounded to bfloat16 of coefficients that differ in their last bits.
    EXPECT_LT(relative_error(gradients.x, expected_gradients.x), 1e-3);
    if (one.adds) {
      EXPECT_TRUE(gradients.addend.equal(expected_gradients.addend));
    }
  }
}

// Channels that fill a row of threads, leave some idle, and take all of a block; rows that fill no piece; single rows.
INSTANTIATE_TEST_SUITE_P(Shapes, NormReluOnHost,
                         testing::Values(Case{2, 16, 1, 1, false, true}, Case{3, 48, 5, 7, true, true},
                                         Case{4, 64, 29, 31, false, true}, Case{4, 80, 9, 9, true, false},
                                         Case{2, 512, 7, 7, true, true}, Case{2, 2048, 3, 3, false, false}));

TEST(NormReluOnHost, SumsThatAreNoNumberStaySo) {
  auto x = at::randn({2, 16, 4, 4}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  x[1][3][2][1] = NAN;
  const Norm norm{at::ones({16}), at::zeros({16}), at::zeros({16}), at::ones({16}), 0.1, 1e-5};
  const auto values = OnHost{Order::forward}.normalization(x, norm);
  for (int64_t c = 0; c < 16; ++c) EXPECT_EQ(std::isnan(values.scale[c].item<float>()), c == 3);
}

}  // namespace
}  // namespace fer
