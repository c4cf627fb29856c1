#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// input (N, I, H, W), weight (O, I, k, k) -> (N, O, h, w), without bias. As at::conv2d, whose derivative it has too;
/// but in training in bfloat16 what minimal filtering applies to is computed so, from the weights as they are: float32.
at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, int64_t stride, int64_t padding);

}  // namespace fer
