#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fer {

/// What is dropped at random in a step of training. A pure function of seed and draw, so that resuming needs nothing
/// saved.
struct Noise {
  double dropout;           // probability of each feature before the classifier (Srivastava et al. 2014)
  double stochastic_depth;  // of the last residual branch; earlier ones in proportion (arXiv 1603.09382)
  uint64_t seed;
  uint64_t draw;  // differs from step to step, and from part to part
};

/// features (N, F), each kept with probability 1 - dropout and then scaled up by its inverse.
at::Tensor drop_features(const at::Tensor& features, const Noise& noise);

/// branch (N, C, h, w), dropped for some of the pictures, and for the others scaled up by the inverse of their share.
/// `probability` of a picture's; `number` tells the branches of a network apart.
at::Tensor drop_branches(const at::Tensor& branch, const Noise& noise, double probability, uint64_t number);

}  // namespace fer
