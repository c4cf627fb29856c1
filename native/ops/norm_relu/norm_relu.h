#pragma once
#include <ATen/core/Tensor.h>

#include "core/by_device.h"
#include "ops/norm_relu/batch_sums.h"

namespace fer {

/// What a batch norm learns and remembers, (C) float32 each.
struct Norm {
  at::Tensor weight, bias, running_mean, running_variance;
  double momentum, epsilon;
};

/// Batch norm in training, addition and ReLU in one: x (N, C, H, W) -> relu(norm(x) + addend). `addend` may be
/// undefined; moves the running statistics. Computed in float32, kept in x's type, with two passes over memory forward
/// and two backward; where it does not apply, by `norm_relu_composite`.
at::Tensor norm_relu(const at::Tensor& x, const at::Tensor& addend, const Norm& norm, bool relu);

/// The same of LibTorch's own operators, one after the other: the reference.
at::Tensor norm_relu_composite(const at::Tensor& x, const at::Tensor& addend, const Norm& norm, bool relu);

namespace norm_relu_kernels {

/// Whether it is written for this: bfloat16, channels-last, channels in sixteens, on a GPU 2048 at most, more than one
/// value a channel.
bool applies(const at::Tensor& x, const at::Tensor& addend);

/// Statistics of a batch x, which also move the running ones, and what follows from them.
extern ByDevice<NormValues(const at::Tensor&, const Norm&)> normalization;

/// x, addend or undefined, values, relu -> relu(scale x + shift + addend).
extern ByDevice<at::Tensor(const at::Tensor&, const at::Tensor&, const NormValues&, bool)> forward;

struct Saved {
  at::Tensor x, output;  // the latter only where there are an addend and a ReLU
  NormValues values;
  bool adds, relu;
};
struct Gradients {
  at::Tensor x, addend, weight, bias;
};
/// Of the gradient of that.
extern ByDevice<Gradients(const at::Tensor&, const Saved&)> backward;

}  // namespace norm_relu_kernels
}  // namespace fer
