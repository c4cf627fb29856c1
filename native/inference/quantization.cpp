#include "inference/quantization.h"

#include <ATen/ops/aminmax.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>

namespace fer {
namespace {

constexpr size_t bins = 2048;
constexpr int64_t most_at_once = 8;  // between two looks at the cancellation
constexpr float levels = 255;

/// Runs the float32 plan over the pictures, and lets `observe` hear every value of every few of them.
void over_values(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                 const Plan::Observer& observe, const Cancellation& cancellation, const Progress& progress) {
  const auto pixels = pixels_of(images, indices);
  const auto& plan = predictor.plan(Precision::float32, {});
  const auto count = static_cast<int64_t>(indices.size()), at_once = std::min(most_at_once, plan.pictures_at_once());
  for (int64_t first = 0; first < count; first += at_once) {
    cancellation.check();
    const auto last = std::min(count, first + at_once);
    plan.map(pixels(first, last), observe);
    progress(last);
  }
}

Range wider(Range range, const at::Tensor& values) {
  const auto [low, high] = at::aminmax(values);
  const Range wide{std::min(range.low, low.item<float>()), std::max(range.high, high.item<float>())};
  // A NaN is neither less nor more than anything.
  constexpr float beyond = std::numeric_limits<float>::infinity();
  return low.isnan().item<bool>() ? Range{-beyond, beyond} : wide;
}

/// Counts the values by their place in the range.
void tally(const at::Tensor& values, Range range, std::vector<double>& counts) {
  const auto dense = values.contiguous(values.suggest_memory_format());
  const float scale = static_cast<float>(counts.size()) / std::max(range.high - range.low, 1e-12F);
  const auto last = static_cast<float>(counts.size() - 1);
  const auto* from = dense.const_data_ptr<float>();
  for (int64_t i = 0; i < dense.numel(); ++i) {
    ++counts[static_cast<size_t>(std::clamp((from[i] - range.low) * scale, 0.0F, last))];
  }
}

/// What it costs to keep [low, high] of a value whose histogram begins at `begin`.
double squared_error(Range kept, float begin, float width, const std::vector<double>& counts) {
  const float step = (kept.high - kept.low) / levels;
  const double inside = step * step / 12;  // of an error evenly spread over one step
  double error = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const float value = begin + (static_cast<float>(i) + 0.5F) * width;
    const float beyond = std::max({value - kept.high, kept.low - value, 0.0F});
    error += counts[i] * (inside + beyond * beyond);
  }
  return error;
}

/// Beyond it steps lose all meaning; a header, headroom included, takes ten times as much.
constexpr float largest_value = 1e29F;

void check_range(Range range, ValueId value) {
  if (range.low >= -largest_value && range.high <= largest_value) return;
  throw Error("ERR_BAD_MODEL", "Value " + std::to_string(value) +
                                   " of the network grows beyond 1e29: its weights are damaged. Train it anew");
}

/// What black and white become, in the channel where they lie furthest apart from zero.
Range range_of_pictures(const Normalization& normalization) {
  Range range{0, 0};
  for (size_t c = 0; c < 3; ++c) {
    range.low = std::min(range.low, -normalization.mean[c] / normalization.deviation[c]);
    range.high = std::max(range.high, (1 - normalization.mean[c]) / normalization.deviation[c]);
  }
  return range;
}

/// Faces that differ from those measured go further: on FER2013 validation made brighter, a quarter more halves the
/// largest error, and on validation as it is costs nothing (docs/performance.md).
Range with_headroom(Range range) { return {1.25F * range.low, 1.25F * range.high}; }

}  // namespace

Range least_error(Range range, const std::vector<double>& counts) {
  const float width = (range.high - range.low) / static_cast<float>(counts.size());
  Range best = range;
  double least = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= 10; --percent) {
    const auto share = static_cast<float>(percent) / 100;
    const Range kept{range.low * share, range.high * share};
    const double error = squared_error(kept, range.low, width, counts);
    if (error < least) {
      least = error;
      best = kept;
    }
  }
  return best;
}

std::vector<Range> measure_ranges(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                                  const Cancellation& cancellation, const Progress& progress) {
  if (indices.empty()) throw Error("ERR_DATASET_EMPTY", "There is no picture to measure. Add some");
  c10::InferenceMode inference;
  const auto total = predictor.plan(Precision::float32, {}).value_count();
  const auto count = static_cast<int64_t>(indices.size());
  std::vector<Range> ranges(total, {0, 0});
  over_values(
      predictor, images, indices,
      [&](ValueId value, const at::Tensor& values) { ranges[value] = wider(ranges[value], values); }, cancellation,
      [&](int64_t done) { progress(done / 2); });
  for (size_t i = 0; i < total; ++i) check_range(ranges[i], i);
  std::vector<std::vector<double>> histograms(total, std::vector<double>(bins));
  over_values(
      predictor, images, indices,
      [&](ValueId value, const at::Tensor& values) { tally(values, ranges[value], histograms[value]); }, cancellation,
      [&](int64_t done) { progress((count + done) / 2); });
  ranges[0] = range_of_pictures(predictor.network()->spec().input.normalization);
  for (size_t i = 1; i < total; ++i) ranges[i] = with_headroom(least_error(ranges[i], histograms[i]));
  return ranges;
}

}  // namespace fer
