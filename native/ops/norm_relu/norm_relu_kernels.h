#pragma once
#include <c10/util/BFloat16.h>

#include "core/launch.h"
#include "ops/norm_relu/norm_relu_math.h"

// Batch norm, addition and ReLU on a GPU. A thread takes eight channels of a pixel, 16 bytes of bfloat16, and threads
// side by side take channels side by side, so that memory is read and written in whole lines.
namespace fer::norm_relu_kernels {

inline constexpr int octet = 8;
using Bits = Pack<c10::BFloat16, octet>;

/// Eight numbers computed with in float32.
struct Octet {
  float values[octet];
};

FER_DEVICE inline Octet load_octet(const c10::BFloat16* from) {
  const auto bits = load_pack<octet>(from);
  Octet result;
  for (int i = 0; i < octet; ++i) result.values[i] = static_cast<float>(bits.values[i]);
  return result;
}
FER_DEVICE inline void store_octet(const Octet& octets, c10::BFloat16* to) {
  Bits bits;
  for (int i = 0; i < octet; ++i) bits.values[i] = c10::BFloat16(octets.values[i]);
  store_pack(bits, to);
}

/// A map, channels-last, as rows of channels, one a pixel; channels in eights, 2048 at most.
struct Extent {
  int64_t rows, channels;

  FER_DEVICE int64_t octets() const { return rows * channels / octet; }
  FER_DEVICE int64_t channel_of(int64_t octets) const { return octets * octet % channels; }
};
inline constexpr int64_t most_channels = usual_threads * octet;

/// Two sums a channel over all rows, of so many pieces apart: (pieces, 2, channels) float32. `Terms` adds those of
/// eight channels of a row. A block sums a piece: its threads are as many rows as fit side by side, and meet two by
/// two.
template <typename Terms>
struct SumRows {
  Terms terms;
  Extent extent;
  int64_t pieces;
  float* sums;

  /// Enough pieces to fill a GPU, few enough that adding them up is nothing; the same on every device.
  static int64_t pieces_for(Extent extent) {
    constexpr int64_t most = 256, rows_a_thread = 8;
    const int64_t rows = usual_threads / (extent.channels / octet) * rows_a_thread;
    const int64_t pieces = (extent.rows + rows - 1) / rows;
    return pieces < most ? pieces : most;
  }
  Launch launch() const { return {pieces, usual_threads}; }

  struct Shared {
    float first[octet][usual_threads], second[octet][usual_threads];
  };
  struct Own {};

  FER_DEVICE int lanes() const { return static_cast<int>(extent.channels) / octet; }
  FER_DEVICE int rows_at_once() const { return usual_threads / lanes(); }
  FER_DEVICE int halvings() const {
    int count = 0;
    while ((1 << count) < rows_at_once()) ++count;
    return count;
  }
  FER_DEVICE int phases() const { return halvings() + 2; }

  FER_DEVICE void run(int phase, const Thread& thread, Shared& shared, Own&) const {
    const int row = thread.index / lanes(), channel = thread.index % lanes() * octet;
    if (row >= rows_at_once()) return;
    if (phase == 0) {
      add_up(thread, row, channel, shared);
    } else if (phase <= halvings()) {
      const int width = left_after(phase - 1), half = left_after(phase);
      if (row + half < width) meet(thread.index, thread.index + half * lanes(), shared);
    } else if (row == 0) {
      give(thread, channel, shared);
    }
  }

 private:
  FER_DEVICE int left_after(int halvings) const { return (rows_at_once() + (1 << halvings) - 1) >> halvings; }

  FER_DEVICE void add_up(const Thread& thread, int row, int channel, Shared& shared) const {
    Octet first{}, second{};
    const int64_t begin = extent.rows * thread.block / pieces, end = extent.rows * (thread.block + 1) / pieces;
    for (int64_t at = begin + row; at < end; at += rows_at_once()) terms.add(at, channel, first, second);
    for (int i = 0; i < octet; ++i) {
      shared.first[i][thread.index] = first.values[i];
      shared.second[i][thread.index] = second.values[i];
    }
  }

  FER_DEVICE static void meet(int own, int other, Shared& shared) {
    for (int i = 0; i < octet; ++i) {
      shared.first[i][own] += shared.first[i][other];
      shared.second[i][own] += shared.second[i][other];
    }
  }

  FER_DEVICE void give(const Thread& thread, int channel, const Shared& shared) const {
    float* to = sums + thread.block * 2 * extent.channels + channel;
    for (int i = 0; i < octet; ++i) {
      to[i] = shared.first[i][thread.index];
      to[extent.channels + i] = shared.second[i][thread.index];
    }
  }
};

/// The pieces of a channel added up, in float64.
struct Pieces {
  const float* sums;
  int64_t count, channels;

  struct Totals {
    double first, second;
  };
  FER_DEVICE Totals of(int64_t channel) const {
    Totals totals{};
    for (int64_t piece = 0; piece < count; ++piece) {
      totals.first += sums[piece * 2 * channels + channel];
      totals.second += sums[(piece * 2 + 1) * channels + channel];
    }
    return totals;
  }
};

/// Terms of SumRows: x - pivot and its square, so that a mean far from zero does not drown the variance. The pivots are
/// the first row.
struct MomentTerms {
  const c10::BFloat16* x;
  int64_t channels;

  FER_DEVICE void add(int64_t row, int64_t channel, Octet& first, Octet& second) const {
    const auto value = load_octet(x + row * channels + channel), pivot = load_octet(x + channel);
    for (int i = 0; i < octet; ++i) {
      const float apart = value.values[i] - pivot.values[i];
      first.values[i] += apart;
      second.values[i] += apart * apart;
    }
  }
};

/// What a batch norm is computed with, of the sums of MomentTerms; moves the running statistics. One item a channel.
struct FinishNorm {
  Pieces pieces;
  const c10::BFloat16* x;
  double rows, momentum, epsilon;
  const float *weight, *bias;
  float *running_mean, *running_variance;
  float *scale, *shift, *mean, *inverse_deviation;

  FER_DEVICE void operator()(int64_t c) const {
    const auto totals = pieces.of(c);
    const auto moments =
        norm_relu_math::moments_of(totals.first, totals.second, rows, static_cast<double>(static_cast<float>(x[c])));
    // The running variance is the unbiased one, as LibTorch has it.
    move(running_mean[c], moments.mean);
    move(running_variance[c], moments.variance * (rows / (rows - 1)));
    const double inverse = 1 / sqrt(moments.variance + epsilon), factor = static_cast<double>(weight[c]) * inverse;
    mean[c] = static_cast<float>(moments.mean);
    inverse_deviation[c] = static_cast<float>(inverse);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(static_cast<double>(bias[c]) - moments.mean * factor);
  }

 private:
  FER_DEVICE void move(float& running, double batch) const {
    running = static_cast<float>(static_cast<double>(running) + momentum * (batch - static_cast<double>(running)));
  }
};

/// relu(scale x + shift + addend), the last where it is not null. One item eight channels.
struct Normalize {
  const c10::BFloat16 *x, *addend;
  Extent extent;
  const float *scale, *shift;
  bool relu;
  c10::BFloat16* to;

  FER_DEVICE void operator()(int64_t at) const {
    const int64_t place = at * octet, channel = extent.channel_of(at);
    auto value = load_octet(x + place);
    for (int i = 0; i < octet; ++i) value.values[i] = value.values[i] * scale[channel + i] + shift[channel + i];
    if (addend) {
      const auto more = load_octet(addend + place);
      for (int i = 0; i < octet; ++i) value.values[i] += more.values[i];
    }
    // As written, it lets what is not a number through.
    for (int i = 0; i < octet; ++i) value.values[i] = relu && value.values[i] < 0 ? 0.0F : value.values[i];
    store_octet(value, to + place);
  }
};

/// The gradient where the ReLU let it through.
struct Masked {
  const c10::BFloat16 *gradient, *x, *output;  // the output may be null: then it is computed again, but for an addend
  const float *scale, *shift;
  bool relu;

  FER_DEVICE Octet at(int64_t place, int64_t channel, const Octet& value) const {
    auto through = load_octet(gradient + place);
    if (!relu) return through;
    const auto given = output ? load_octet(output + place) : value;
    for (int i = 0; i < octet; ++i) {
      const float level = output ? given.values[i] : given.values[i] * scale[channel + i] + shift[channel + i];
      if (!(level > 0)) through.values[i] = 0;
    }
    return through;
  }
};

/// Terms of SumRows: the masked gradient and its product with x - mean. The former is kept where `kept` is not null.
struct GradientTerms {
  Masked masked;
  const float* mean;
  int64_t channels;
  c10::BFloat16* kept;

  FER_DEVICE void add(int64_t row, int64_t channel, Octet& first, Octet& second) const {
    const int64_t place = row * channels + channel;
    const auto value = load_octet(masked.x + place), through = masked.at(place, channel, value);
    if (kept) store_octet(through, kept + place);
    for (int i = 0; i < octet; ++i) {
      first.values[i] += through.values[i];
      second.values[i] += through.values[i] * (value.values[i] - mean[channel + i]);
    }
  }
};

/// Gradients of weight and bias, and what that of x is made with, of the sums of GradientTerms. One item a channel.
struct FinishGradients {
  Pieces pieces;
  double rows;
  const float *scale, *mean, *inverse_deviation;
  float *weight, *bias, *by_x, *constant;

  FER_DEVICE void operator()(int64_t c) const {
    const auto totals = pieces.of(c);
    const auto result =
        norm_relu_math::gradients_of(totals.first, totals.second, rows, static_cast<double>(scale[c]),
                                     static_cast<double>(mean[c]), static_cast<double>(inverse_deviation[c]));
    weight[c] = static_cast<float>(result.weight);
    bias[c] = static_cast<float>(result.bias);
    by_x[c] = static_cast<float>(result.by_x);
    constant[c] = static_cast<float>(result.constant);
  }
};

/// The gradient of x: scale * masked gradient + x * by_x + constant. One item eight channels.
struct Combine {
  Masked masked;
  Extent extent;
  const float *scale, *by_x, *constant;
  c10::BFloat16* to;

  FER_DEVICE void operator()(int64_t at) const {
    const int64_t place = at * octet, channel = extent.channel_of(at);
    const auto value = load_octet(masked.x + place), through = masked.at(place, channel, value);
    Octet result;
    for (int i = 0; i < octet; ++i) {
      const int64_t c = channel + i;
      result.values[i] = through.values[i] * scale[c] + (value.values[i] * by_x[c] + constant[c]);
    }
    store_octet(result, to + place);
  }
};

}  // namespace fer::norm_relu_kernels
