#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// Labelled faces of one size, in memory that is not ours: a mapped pack or a JavaScript buffer.
struct ImageSet {
  at::Tensor pixels;  // (N, H, W, C) uint8, C = 1 or 3
  at::Tensor labels;  // (N) int64
};

}  // namespace fer
