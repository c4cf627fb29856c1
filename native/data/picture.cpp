#include "data/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/random.h"
#include "core/vectorize.h"

namespace fer {
namespace {

/// Of the normal distribution at (i + 1/2) / 4096, by bisection of its integral; deviation exactly 1.
std::array<float, quantile_count> normal_quantiles() {
  std::array<double, quantile_count> exact;
  double squares = 0;
  for (int64_t i = 0; i < quantile_count; ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / quantile_count;
    double low = -6, high = 6;
    for (int step = 0; step < 50; ++step) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::numbers::sqrt2) < probability ? low : high) = middle;
    }
    exact[static_cast<size_t>(i)] = low;
    squares += low * low;
  }
  const double scale = 1 / std::sqrt(squares / quantile_count);
  std::array<float, quantile_count> table;
  std::transform(exact.begin(), exact.end(), table.begin(),
                 [scale](double q) { return static_cast<float>(scale * q); });
  return table;
}

FER_VECTORIZED void add_quantiles(const uint8_t* pixels, const uint32_t* words, const float* quantiles, int64_t count,
                                  float deviation, uint8_t* to) {
  for (int64_t i = 0; i < count; ++i) {
    // A word serves two values.
    const uint32_t half = words[i / 2] >> (i % 2 * 16) & 0xFFFF;
    const float level = static_cast<float>(pixels[i]) + deviation * quantiles[half >> (16 - quantile_bits)];
    to[i] = static_cast<uint8_t>(std::clamp(level, 0.0F, 255.0F) + 0.5F);
  }
}

/// What a row of the output reads: three channels, each a row of its own.
constexpr int64_t stretch = 64;
struct Stretch {
  float levels[3][stretch];
};

FER_INLINE float channel_of(uint32_t pixel, int channel) {
  return static_cast<float>(static_cast<int32_t>(pixel >> (8 * channel) & 0xFF));
}

FER_INLINE void read(const Source& source, const Affine& map, int64_t first, int64_t y, Stretch& to) {
  const float right = static_cast<float>(source.width - 1), bottom = static_cast<float>(source.height - 1);
  const float row_x = map.b * static_cast<float>(y) + map.c, row_y = map.e * static_cast<float>(y) + map.f;
  const auto width = static_cast<int32_t>(source.width);
  const int32_t last_x = width - 1, last_y = static_cast<int32_t>(source.height) - 1;
  const uint32_t* pixels = source.pixels;
  for (int32_t i = 0; i < stretch; ++i) {
    const float x = static_cast<float>(static_cast<int32_t>(first) + i);
    const float source_x = std::min(std::max(map.a * x + row_x, 0.0F), right);
    const float source_y = std::min(std::max(map.d * x + row_y, 0.0F), bottom);
    const auto x0 = static_cast<int32_t>(source_x), y0 = static_cast<int32_t>(source_y);
    const int32_t x1 = std::min(x0 + 1, last_x), y1 = std::min(y0 + 1, last_y);
    const float u = source_x - static_cast<float>(x0), v = source_y - static_cast<float>(y0);
    const uint32_t top_left = pixels[y0 * width + x0], top_right = pixels[y0 * width + x1];
    const uint32_t base_left = pixels[y1 * width + x0], base_right = pixels[y1 * width + x1];
    for (int c = 0; c < 3; ++c) {
      const float top = channel_of(top_left, c) + u * (channel_of(top_right, c) - channel_of(top_left, c));
      const float base = channel_of(base_left, c) + u * (channel_of(base_right, c) - channel_of(base_left, c));
      to.levels[c][i] = top + v * (base - top);
    }
  }
}

template <typename scalar_t>
FER_INLINE void resample_row_of(const Source& source, const Affine& map, int64_t y, int64_t size, const Tone& tone,
                                scalar_t* to) {
  for (int64_t first = 0; first < size; first += stretch) {
    Stretch read_levels;
    read(source, map, first, y, read_levels);
    for (int c = 0; c < 3; ++c) {
      for (int64_t i = 0; i < stretch; ++i) {
        const float level = read_levels.levels[c][i] * tone.factor + tone.offset;
        read_levels.levels[c][i] =
            std::min(std::max(level, 0.0F), 255.0F) * tone.channel_factor[c] + tone.channel_offset[c];
      }
    }
    const int64_t count = std::min(stretch, size - first);
    for (int64_t i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) to[(first + i) * 3 + c] = scalar_t(read_levels.levels[c][i]);
    }
  }
}

FER_VECTORIZED uint64_t sum_of(const uint8_t* pixels, int64_t count) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += pixels[i];
  return sum;
}

}  // namespace

FER_VECTORIZED void unpack(const uint8_t* pixels, int64_t count, int64_t channels, uint32_t* to) {
  if (channels == 1) {
    for (int64_t i = 0; i < count; ++i) to[i] = pixels[i] * 0x010101U;
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    to[i] =
        pixels[3 * i] | static_cast<uint32_t>(pixels[3 * i + 1]) << 8 | static_cast<uint32_t>(pixels[3 * i + 2]) << 16;
  }
}

float mean_level(const uint8_t* pixels, int64_t count) {
  return static_cast<float>(static_cast<double>(sum_of(pixels, count)) / static_cast<double>(count));
}

const float* noise_quantiles() {
  static const auto quantiles = normal_quantiles();
  return quantiles.data();
}

void add_noise(const uint8_t* pixels, int64_t count, LevelNoise noise, uint8_t* to) {
  const auto* quantiles = noise_quantiles();
  constexpr int64_t words = 1024;
  uint32_t random[words];
  for (int64_t first = 0; first < count; first += 2 * words) {
    draw_words(noise.key, noise.stream, static_cast<uint64_t>(first / 2), words, random);
    add_quantiles(pixels + first, random, quantiles, std::min(2 * words, count - first), noise.deviation, to + first);
  }
}

FER_VECTORIZED void resample_row(Source source, Affine map, int64_t y, int64_t size, const Tone& tone, float* to) {
  resample_row_of(source, map, y, size, tone, to);
}
FER_VECTORIZED void resample_row(Source source, Affine map, int64_t y, int64_t size, const Tone& tone,
                                 c10::BFloat16* to) {
  resample_row_of(source, map, y, size, tone, to);
}

}  // namespace fer
