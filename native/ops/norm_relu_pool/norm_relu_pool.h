#pragma once
#include "ops/norm_relu/norm_relu.h"

namespace fer {

/// The end of a stem in training: batch norm, ReLU and max pooling of 3 x 3, stride 2, padding 1, in one: x (N, C, H,
/// W) -> (N, C, ceil(H / 2), ceil(W / 2)). What lies between, four times the result and the largest map of a network,
/// is never written. Applies where `norm_relu` does; elsewhere `norm_relu_pool_composite`.
at::Tensor norm_relu_pool(const at::Tensor& x, const Norm& norm);

/// The same of LibTorch's own operators, one after the other: the reference.
at::Tensor norm_relu_pool_composite(const at::Tensor& x, const Norm& norm);

namespace norm_relu_pool_kernels {

using norm_relu_kernels::NormValues;

struct Pooled {
  at::Tensor output;
  at::Tensor places;  // like it, uint8: which of a window's nine pixels was largest, or `nothing_passed`
};
/// x, values -> the above.
extern ByDevice<Pooled(const at::Tensor&, const NormValues&)> forward;

struct Gradients {
  at::Tensor x, weight, bias;
};
/// Of the gradient of the output, x, places and values.
extern ByDevice<Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&, const NormValues&)> backward;

}  // namespace norm_relu_pool_kernels
}  // namespace fer
