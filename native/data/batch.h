#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// On one device.
struct Batch {
  at::Tensor images;   // (B, 3, size, size), channels-last, float32 or bfloat16
  at::Tensor targets;  // (B, K) float32, each row a distribution over the classes
};

}  // namespace fer
