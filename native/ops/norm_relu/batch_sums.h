#pragma once
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <vector>

// What the kernels of batch norms share: sums over a batch, and the gradients that follow from them.
namespace fer::norm_relu_kernels {

struct Range {
  int64_t begin, end;
};

/// A map, channels-last, as rows of channels, one a pixel.
struct Rows {
  int64_t count, channels;
};
inline Rows rows_of(const at::Tensor& map) { return {map.numel() / map.size(1), map.size(1)}; }

/// Two sums a channel.
struct Sums {
  float* first;
  float* second;
};
struct Totals {
  std::vector<double> first, second;
};

/// Two sums a channel over all rows: of pieces, each on one thread and in float32, then of those in float64. Their
/// number does not depend on that of the threads, so neither do the sums. `add` takes at most so many rows at a time
/// that they stay in the nearest cache, as it may go through them once for each few channels.
template <typename Add>
Totals sum_rows(const Rows& rows, const Add& add) {
  constexpr int64_t most_pieces = 32, least = 64, cached_values = 4096;
  const int64_t size = std::max(at::divup(rows.count, most_pieces), least);
  const int64_t step = std::max<int64_t>(cached_values / rows.channels, 16);
  const int64_t pieces = at::divup(rows.count, size), channels = rows.channels;
  std::vector<float> sums(static_cast<size_t>(2 * pieces * channels));
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      float* first = sums.data() + 2 * piece * channels;
      const int64_t last = std::min((piece + 1) * size, rows.count);
      for (int64_t row = piece * size; row < last; row += step) {
        add(Range{row, std::min(row + step, last)}, Sums{first, first + channels});
      }
    }
  });
  Totals totals{std::vector<double>(static_cast<size_t>(channels)), std::vector<double>(static_cast<size_t>(channels))};
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const float* first = sums.data() + 2 * piece * channels;
    for (int64_t c = 0; c < channels; ++c) {
      totals.first[static_cast<size_t>(c)] += first[c];
      totals.second[static_cast<size_t>(c)] += first[channels + c];
    }
  }
  return totals;
}

/// Calls for [begin, end) of the rows, on all threads.
template <typename Function>
void for_rows(const Rows& rows, const Function& function) {
  const int64_t grain = std::max<int64_t>(1, (1 << 15) / rows.channels);
  at::parallel_for(0, rows.count, grain, [&](int64_t begin, int64_t end) { function(Range{begin, end}); });
}

/// The gradient of x is linear in what passed the ReLU and in x; (C) float32 each.
struct Coefficients {
  at::Tensor gradient, x, constant;
};

/// What a norm was computed with, (C) float32 each: scale x + shift, scale = weight / deviation.
struct NormValues {
  at::Tensor weight, scale, shift, mean, inverse_deviation;
};

struct NormGradients {
  at::Tensor weight, bias;
  Coefficients coefficients;
};

/// Of the sums of the gradient, and of it times x - mean, over `count` rows.
NormGradients norm_gradients(const Totals& totals, int64_t count, const NormValues& values);

}  // namespace fer::norm_relu_kernels
