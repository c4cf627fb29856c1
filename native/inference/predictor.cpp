#include "inference/predictor.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include <algorithm>

namespace fer {
namespace {

/// (N, C, h, w) -> (N, h w C), a view of channels-last memory.
at::Tensor as_rows(const at::Tensor& map) { return map.permute({0, 2, 3, 1}).flatten(1); }

bool same(const std::vector<Range>& a, const std::vector<Range>& b) {
  return std::ranges::equal(a, b, [](Range x, Range y) { return x.low == y.low && x.high == y.high; });
}

}  // namespace

void Predictor::forget_stale() {
  if (version_ == network_->version()) return;
  plans_.clear();
  readings_.clear();
  version_ = network_->version();
}

const Plan& Predictor::plan(Precision precision, const std::vector<Range>& ranges, at::Device device) {
  forget_stale();
  auto& compiled = plans_[{precision, device.str()}];
  if (!compiled.plan || !same(compiled.ranges, ranges)) {
    compiled = {ranges, std::make_unique<Plan>(network_->graph(), network_->spec().input, precision, ranges, device)};
  }
  return *compiled.plan;
}

const Predictor::ReadingMatrix& Predictor::reading(Affinity affinity, at::Device device) {
  const std::pair key(affinity, device.str());
  auto found = readings_.find(key);
  if (found == readings_.end()) {
    const auto [weight, bias] = network_->reading(affinity);
    found = readings_.emplace(key, ReadingMatrix{as_rows(weight).contiguous().to(device), bias.to(device)}).first;
  }
  return found->second;
}

at::Tensor Predictor::read(const at::Tensor& map, Affinity affinity, Output output) {
  if (output == Output::map) return map.cpu();
  // The matrix of a large map and many classes would not fit into memory, which the head itself does not need.
  constexpr int64_t largest_reading = int64_t{1} << 24;
  const bool linear = output == Output::logits && affinity != Affinity::batch;
  if (!linear || network_->reading_size() > largest_reading) return network_->read(map.cpu(), affinity, output);
  const auto& [weight, bias] = reading(affinity, map.device());
  return at::linear(as_rows(map), weight, bias).cpu();
}

at::Tensor Predictor::answer(const Pixels& pixels, int64_t first, int64_t last, const InferenceOptions& options,
                             Output output) {
  const auto& compiled = plan(options.precision, options.ranges, options.device);
  // The generic part of `batch` is a mean over all the maps.
  const bool together = options.affinity == Affinity::batch;
  std::vector<at::Tensor> parts;
  for (int64_t begin = first; begin < last; begin += compiled.pictures_at_once()) {
    const auto map = compiled.map(pixels(begin, std::min(last, begin + compiled.pictures_at_once())));
    parts.push_back(together ? map.cpu() : read(map, options.affinity, output));
  }
  const auto all = at::cat(parts);
  return together ? read(all, options.affinity, output) : all;
}

}  // namespace fer
