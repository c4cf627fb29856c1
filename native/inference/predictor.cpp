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

const Plan& Predictor::plan(Precision precision, const std::vector<Range>& ranges) {
  forget_stale();
  auto& compiled = plans_[precision];
  if (!compiled.plan || !same(compiled.ranges, ranges)) {
    compiled = {ranges, std::make_unique<Plan>(network_->graph(), network_->spec().input, precision, ranges)};
  }
  return *compiled.plan;
}

const Predictor::ReadingMatrix& Predictor::reading(Affinity affinity) {
  forget_stale();
  auto found = readings_.find(affinity);
  if (found == readings_.end()) {
    const auto [weight, bias] = network_->reading(affinity);
    found = readings_.emplace(affinity, ReadingMatrix{as_rows(weight).contiguous(), bias}).first;
  }
  return found->second;
}

at::Tensor Predictor::answer(const Pixels& pixels, int64_t first, int64_t last, const InferenceOptions& options,
                             Output output) {
  const auto& compiled = plan(options.precision, options.ranges);
  const bool linear = output == Output::logits && options.affinity != Affinity::batch;
  std::vector<at::Tensor> parts;
  for (int64_t begin = first; begin < last; begin += compiled.pictures_at_once()) {
    const auto map = compiled.map(pixels(begin, std::min(last, begin + compiled.pictures_at_once())));
    if (!linear) {
      parts.push_back(map);
      continue;
    }
    const auto& [weight, bias] = reading(options.affinity);
    parts.push_back(at::linear(as_rows(map), weight, bias));
  }
  const auto all = at::cat(parts);
  return linear ? all : network_->read(all, options.affinity, output);
}

}  // namespace fer
