#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// The learned tensors of ARM at inference, m maps of side s.
struct ArmWeights {
  at::Tensor kernel;                                            // (32, 32)
  at::Tensor norm_weight, norm_bias, norm_mean, norm_variance;  // (m)
  at::Tensor alpha, generic;                                    // (1) and (s, s), or undefined: no sharing
};

/// ARM whole, at inference (arXiv 2103.10189, section 3): features (N, 256 m, h, w) -> E (N, s, s), s = 2 h - 3.
at::Tensor arm(const at::Tensor& features, const ArmWeights& weights);

/// Sharing affinity (section 3.3 of the paper) on unique parts U (N, s, s): E = U + alpha G.
at::Tensor share_affinity(const at::Tensor& unique, const at::Tensor& alpha, const at::Tensor& generic);

}  // namespace fer
