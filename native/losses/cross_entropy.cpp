#include "losses/cross_entropy.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log_softmax.h>

namespace fer {
namespace {

at::Tensor focal(const at::Tensor& logits, const at::Tensor& targets, const LossSettings& settings) {
  const auto classes = static_cast<double>(logits.size(1));
  const auto log_probabilities = logits.log_softmax(1);
  auto terms = targets * (1 - settings.smoothing) + settings.smoothing / classes;
  if (settings.class_weights.defined()) terms = terms * settings.class_weights;
  const auto missed = -at::expm1(log_probabilities);
  // A probability of exactly 1 has no slope of its power below 1.
  const auto factor = missed.clamp_min(1e-12).pow(settings.focal_gamma);
  return -(terms * factor * log_probabilities).sum(1).mean();
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets, const LossSettings& settings) {
  if (settings.focal_gamma > 0) return focal(logits, targets, settings);
  return at::cross_entropy_loss(logits, targets, settings.class_weights, at::Reduction::Mean, /*ignore_index=*/-100,
                                settings.smoothing);
}

}  // namespace fer
