#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// pixels: (N, H, W, C) uint8 or float32 -> (N, height, width, C). Both axes independently, antialiased bilinear with
/// half-pixel centres, as torchvision's resize; identity, without a copy, where the size is the same.
at::Tensor resize(const at::Tensor& pixels, int64_t height, int64_t width);

}  // namespace fer
