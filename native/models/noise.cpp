#include "models/noise.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include "core/random.h"

namespace fer {
namespace {

/// 0 with a probability, else the inverse of its complement: of any shape, as `like` is. Drawn on the CPU, so that it
/// is the same on every device.
at::Tensor mask(at::IntArrayRef shape, double probability, Draw random, const at::Tensor& like) {
  auto values = at::empty(shape);
  const auto kept = static_cast<float>(1 / (1 - probability));
  auto* data = values.mutable_data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) data[i] = random.chance(static_cast<float>(probability)) ? 0 : kept;
  return values.to(like.options());
}

}  // namespace

at::Tensor drop_features(const at::Tensor& features, const Noise& noise) {
  if (noise.dropout == 0) return features;
  const Draw random(noise.seed, noise.draw, 0, Purpose::dropout);
  return features * mask(features.sizes(), noise.dropout, random, features);
}

at::Tensor drop_branches(const at::Tensor& branch, const Noise& noise, double probability, uint64_t number) {
  if (probability == 0) return branch;
  const Draw random(noise.seed, noise.draw, number, Purpose::depth);
  return branch * mask({branch.size(0), 1, 1, 1}, probability, random, branch);
}

}  // namespace fer
