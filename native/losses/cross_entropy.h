#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// What is asked of the answers to a batch.
struct LossSettings {
  double smoothing;          // each target mixed with so much of the uniform distribution (arXiv 1512.00567)
  double focal_gamma;        // 0: cross-entropy; else the term of a class weighs (1 - p)^gamma (arXiv 1708.02002)
  at::Tensor class_weights;  // (K) float32, of each class's term; undefined: all alike
};

/// Mean loss of logits (N, K) and targets (N, K), distributions over the classes, both float32.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets, const LossSettings& settings);

}  // namespace fer
