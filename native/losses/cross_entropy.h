#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// Mean cross-entropy of logits (N, K) and labels (N) int64, each target mixed with `smoothing` of the uniform
/// distribution (Szegedy et al., arXiv 1512.00567).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing);

}  // namespace fer
