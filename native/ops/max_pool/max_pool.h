#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// Max pooling of channels-last maps (N, C, h, w), float32, bfloat16 or uint8, for inference: as at::max_pool2d but
/// without its indices and passing over NaN, in one pass with the channels side by side.
at::Tensor max_pool(const at::Tensor& map, int64_t kernel, int64_t stride, int64_t padding);

}  // namespace fer
