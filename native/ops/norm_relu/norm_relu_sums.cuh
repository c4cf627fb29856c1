#pragma once
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "core/launch_cuda.cuh"
#include "ops/norm_relu/batch_sums.h"
#include "ops/norm_relu/norm_relu_kernels.h"

// Sums over a batch on a GPU, which norm_relu and norm_relu_pool share.
namespace fer::norm_relu_kernels {

inline Extent extent_of(const at::Tensor& map) { return {map.numel() / map.size(1), map.size(1)}; }

/// The pieces of two sums a channel, and the memory they lie in.
struct Sum {
  at::Tensor memory;
  Pieces pieces;

  template <typename Terms>
  Sum(const Terms& terms, Extent extent, const at::Tensor& map) {
    const auto count = SumRows<Terms>::pieces_for(extent);
    memory = at::empty({count, 2, extent.channels}, map.options().dtype(at::kFloat).memory_format(std::nullopt));
    const SumRows<Terms> kernel{terms, extent, count, memory.template mutable_data_ptr<float>()};
    launch(kernel, kernel.launch());
    pieces = {memory.template const_data_ptr<float>(), count, extent.channels};
  }
};

inline NormGradients finish_gradients(const Pieces& pieces, int64_t rows, const NormValues& values) {
  const auto empty = [&] { return at::empty_like(values.weight); };
  NormGradients result{empty(), empty(), {values.scale, empty(), empty()}};
  launch_each(FinishGradients{.pieces = pieces,
                              .rows = static_cast<double>(rows),
                              .scale = values.scale.const_data_ptr<float>(),
                              .mean = values.mean.const_data_ptr<float>(),
                              .inverse_deviation = values.inverse_deviation.const_data_ptr<float>(),
                              .weight = result.weight.mutable_data_ptr<float>(),
                              .bias = result.bias.mutable_data_ptr<float>(),
                              .by_x = result.coefficients.x.mutable_data_ptr<float>(),
                              .constant = result.coefficients.constant.mutable_data_ptr<float>()},
              pieces.channels);
  return result;
}

}  // namespace fer::norm_relu_kernels
