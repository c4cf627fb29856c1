#include "ops/norm_relu_pool/norm_relu_pool_kernels.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "on_host.h"
#include "ops/norm_relu_pool/norm_relu_pool.h"

namespace fer {
namespace {

using namespace norm_relu_pool_kernels;
using at::BFloat16;

struct Case {
  int64_t images, channels, height, width;
};

const float* floats(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* to_floats(at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }
at::Tensor unwritten(at::IntArrayRef sizes) { return at::full(sizes, NAN); }

/// As norm_relu_pool_cuda.cu puts the kernels together.
Pooled pool_on_host(const at::Tensor& x, Shape shape, const NormValues& values, Order order) {
  const auto map = at::empty({shape.images, shape.channels, shape.out_height(), shape.out_width()},
                             at::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast));
  Pooled result{at::full_like(map, NAN, at::kBFloat16), at::full_like(map, 77, at::kByte)};
  const Pool pool{x.const_data_ptr<BFloat16>(),
                  shape,
                  floats(values.scale),
                  floats(values.shift),
                  result.output.mutable_data_ptr<BFloat16>(),
                  result.places.mutable_data_ptr<uint8_t>()};
  run_each_on_host(pool, pool.items(), order);
  return result;
}

Gradients gradients_on_host(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& places, Shape shape,
                            const NormValues& values, Order order) {
  using namespace norm_relu_kernels;
  const Returned returned{gradient.const_data_ptr<BFloat16>(), places.const_data_ptr<uint8_t>(), shape};
  const Extent extent{shape.pixels(), shape.channels};
  const auto* pixels = x.const_data_ptr<BFloat16>();
  const ReturnedTerms terms{returned, pixels, floats(values.mean)};
  const auto pieces = SumRows<ReturnedTerms>::pieces_for(extent);
  auto sums = unwritten({pieces, 2, extent.channels});
  const SumRows<ReturnedTerms> kernel{terms, extent, pieces, to_floats(sums)};
  run_on_host(kernel, kernel.launch(), order);
  auto weight = unwritten({shape.channels}), bias = unwritten({shape.channels});
  auto by_x = unwritten({shape.channels}), constant = unwritten({shape.channels});
  run_each_on_host(FinishGradients{{floats(sums), pieces, extent.channels},
                                   static_cast<double>(extent.rows),
                                   floats(values.scale),
                                   floats(values.mean),
                                   floats(values.inverse_deviation),
                                   to_floats(weight),
                                   to_floats(bias),
                                   to_floats(by_x),
                                   to_floats(constant)},
                   extent.channels, order);
  auto to_x = at::full_like(x, NAN);
  const CombineReturned combine{returned,     pixels,           floats(values.scale),
                                floats(by_x), floats(constant), to_x.mutable_data_ptr<BFloat16>()};
  run_each_on_host(combine, combine.items(), order);
  return {to_x, weight, bias};
}

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const auto exact = expected.to(at::kDouble);
  return ((actual.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}

class NormReluPoolOnHost : public testing::TestWithParam<Case> {};

// The CPU's kernels, which agree with LibTorch's, are the reference.
TEST_P(NormReluPoolOnHost, AgreesWithTheCpuInAnyOrderOfThreads) {
  const auto& one = GetParam();
  at::manual_seed(45);
  const auto map = [](at::IntArrayRef sizes) {
    return at::randn(sizes).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const auto x = map({one.images, one.channels, one.height, one.width});
  const Norm norm{at::rand({one.channels}) + 0.5,
                  at::randn({one.channels}),
                  at::zeros({one.channels}),
                  at::ones({one.channels}),
                  0.1,
                  1e-5};
  const auto values = norm_relu_kernels::normalization(x, norm);
  const Shape shape{one.images, one.height, one.width, one.channels};
  const auto expected = forward(x, values);
  const auto gradient = map(expected.output.sizes());
  const auto expected_gradients = backward(gradient, x, expected.places, values);
  for (const auto order : orders) {
    const auto pooled = pool_on_host(x, shape, values, order);
    EXPECT_LT(relative_error(pooled.output, expected.output), 1e-4);
    EXPECT_TRUE(pooled.places.equal(expected.places));
    const auto gradients = gradients_on_host(gradient, x, expected.places, shape, values, order);
    EXPECT_LT(relative_error(gradients.weight, expected_gradients.weight), 1e-5);
    EXPECT_LT(relative_error(gradients.bias, expected_gradients.bias), 1e-5);
    EXPECT_LT(relative_error(gradients.x, expected_gradients.x), 1e-3);
  }
}

// Even and odd sides, whose last windows end within and beyond the map; maps of one row, one column and one pixel.
INSTANTIATE_TEST_SUITE_P(Shapes, NormReluPoolOnHost,
                         testing::Values(Case{2, 64, 8, 8}, Case{3, 64, 9, 7}, Case{1, 48, 12, 5}, Case{4, 16, 1, 6},
                                         Case{4, 16, 7, 1}, Case{5, 32, 1, 1}));

}  // namespace
}  // namespace fer
