#pragma once
#include <c10/util/BFloat16.h>

#include <cstdint>

// What augmentation does to one picture, each a pass over it that the compiler vectorises.
namespace fer {

/// Pixels of 32 bits, red in the lowest byte: four neighbours are then four reads, whatever the number of channels.
void unpack(const uint8_t* pixels, int64_t count, int64_t channels, uint32_t* to);

/// The mean level over all channels.
float mean_level(const uint8_t* pixels, int64_t count);

/// Noise of a picture's levels: what is drawn from `key` and `stream` by Philox (core/random.h).
struct LevelNoise {
  float deviation;  // 0: none
  uint64_t key, stream;
};

/// level + deviation * normal, rounded; through a table of the normal distribution's quantiles, so up to 3.7
/// deviations.
void add_noise(const uint8_t* pixels, int64_t count, LevelNoise noise, uint8_t* to);

inline constexpr int quantile_bits = 12;
inline constexpr int64_t quantile_count = int64_t{1} << quantile_bits;
/// Of the normal distribution.
const float* noise_quantiles();

/// Where in the source an output pixel is read: x' = a x + b y + c, y' = d x + e y + f, in pixels.
struct Affine {
  float a, b, c, d, e, f;
};

/// What a level becomes: clamped to 0..255 after a first line, then a second one for each channel.
struct Tone {
  float factor, offset;
  float channel_factor[3], channel_offset[3];
};

struct Source {
  const uint32_t* pixels;
  int64_t height, width;
};

/// Row `y` of an output of `size` pixels, three channels each: bilinear, and outside the source its edge repeats.
void resample_row(Source source, Affine map, int64_t y, int64_t size, const Tone& tone, float* to);
void resample_row(Source source, Affine map, int64_t y, int64_t size, const Tone& tone, c10::BFloat16* to);

}  // namespace fer
