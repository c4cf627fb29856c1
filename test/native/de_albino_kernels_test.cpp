#include "ops/de_albino/de_albino_kernels.h"

#include <ATen/Dispatch.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "on_host.h"
#include "ops/de_albino/de_albino.h"

namespace fer {
namespace {

using namespace de_albino_kernels;

/// Runs an operator's item kernel over its items, in an order of threads; what it writes begins as NaN.
struct OnHost {
  Order order;

  template <typename Item>
  void operator()(const Item& item) const {
    run_each_on_host(item, item.items(), order);
  }
};

at::Tensor unwritten(at::IntArrayRef sizes, const at::Tensor& like) { return at::full(sizes, NAN, like.options()); }

/// As de_albino_cuda.cu puts the kernels together around LibTorch's matrix product.
template <typename scalar_t>
at::Tensor tiles_of(const at::Tensor& kernel, const OnHost& run) {
  auto tiles = unwritten({256, 25}, kernel);
  run(TileKernel<scalar_t>{kernel.const_data_ptr<scalar_t>(), tiles.mutable_data_ptr<scalar_t>()});
  return tiles;
}

template <typename scalar_t>
at::Tensor forward_of(const at::Tensor& features, const at::Tensor& kernel, const OnHost& run) {
  const auto geometry = de_albino_math::geometry_of(features.sizes());
  const at::Tensor products = at::matmul(as_rows(features), tiles_of<scalar_t>(kernel, run));
  auto output = unwritten({geometry.images, geometry.maps, geometry.out_height(), geometry.out_width()}, features);
  run(Gather<scalar_t>{products.const_data_ptr<scalar_t>(), output.mutable_data_ptr<scalar_t>(), geometry});
  return output;
}

template <typename scalar_t>
Gradients backward_of(const at::Tensor& gradient, const at::Tensor& features, const at::Tensor& kernel,
                      const OnHost& run) {
  const auto geometry = de_albino_math::geometry_of(features.sizes());
  auto products = unwritten({geometry.rows(), 25}, features);
  run(Scatter<scalar_t>{gradient.const_data_ptr<scalar_t>(), products.mutable_data_ptr<scalar_t>(), geometry});
  const auto tiles = at::matmul(as_rows(features).t(), products).contiguous();
  auto folded = unwritten({32, 32}, kernel);
  run(FoldTiles<scalar_t>{tiles.const_data_ptr<scalar_t>(), folded.mutable_data_ptr<scalar_t>()});
  return {as_map(at::matmul(products, tiles_of<scalar_t>(kernel, run).t()), features), folded};
}

struct Case {
  int64_t images, channels, height, width;
  at::ScalarType dtype;
};

class DeAlbinoOnHost : public testing::TestWithParam<Case> {};

// The matrix product is the same, so what is around it must agree to the bit, but for the order of a sum of four.
TEST_P(DeAlbinoOnHost, AgreesWithTheCpuInAnyOrderOfThreads) {
  const auto& [images, channels, height, width, dtype] = GetParam();
  at::manual_seed(5);
  const auto features =
      at::randn({images, channels, height, width}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  const auto kernel = at::randn({32, 32}).to(dtype);
  const auto expected = forward(features, kernel);
  const auto gradient = at::randn(expected.sizes()).to(dtype);
  const auto expected_gradients = backward(gradient, features, kernel);
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, dtype, "test", [&] {
    for (const auto order : orders) {
      EXPECT_TRUE(at::equal(forward_of<scalar_t>(features, kernel, {order}), expected));
      const auto gradients = backward_of<scalar_t>(gradient, features, kernel, {order});
      EXPECT_TRUE(at::equal(gradients.features, expected_gradients.features));
      const double tolerance = dtype == at::kBFloat16 ? 0.01 : 1e-5;
      EXPECT_TRUE(at::allclose(gradients.kernel, expected_gradients.kernel, tolerance, tolerance));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeAlbinoOnHost,
                         testing::Values(Case{1, 256, 2, 2, at::kFloat}, Case{2, 512, 7, 7, at::kFloat},
                                         Case{3, 512, 3, 5, at::kDouble}, Case{5, 256, 6, 4, at::kBFloat16},
                                         Case{8, 512, 7, 7, at::kBFloat16}));

}  // namespace
}  // namespace fer
