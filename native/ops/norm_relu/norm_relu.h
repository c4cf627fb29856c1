#pragma once
#include <ATen/core/Tensor.h>

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

/// Whether it is written for this: bfloat16, channels-last, channels in sixteens, more than one value a channel.
bool applies(const at::Tensor& x, const at::Tensor& addend);

/// Of a batch, (C) float32 each.
struct Statistics {
  at::Tensor mean, variance;  // the latter of the batch itself, divided by n
};
Statistics statistics(const at::Tensor& x);

/// Statistics of the batch, which also move the running ones, and what follows from them.
NormValues normalization(const at::Tensor& x, const Norm& norm);

/// relu(scale x + shift + addend).
at::Tensor forward(const at::Tensor& x, const at::Tensor& addend, const NormValues& values, bool relu);

struct Saved {
  at::Tensor x, output;  // the latter only where there are an addend and a ReLU
  NormValues values;
  bool adds, relu;
};
struct Gradients {
  at::Tensor x, addend, weight, bias;
};
Gradients backward(const at::Tensor& gradient, const Saved& saved);

}  // namespace norm_relu_kernels
}  // namespace fer
