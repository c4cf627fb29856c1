#pragma once
#include <ATen/core/PhiloxRNGEngine.h>

#include <cstdint>

namespace fer {

/// What a draw is for: draws for different purposes never share numbers.
enum class Purpose : uint64_t {
  shuffle = 1,
  flip,
  affine,
  light,
  noise,
  erase,
  alternative,
  noise_levels,
  interleave,
  resample,
  mix,
  resolution,
  dropout,
  depth
};

/// The seed of the draws for one purpose, and their stream within it.
inline uint64_t key_of(uint64_t seed, Purpose purpose) {
  return seed ^ (static_cast<uint64_t>(purpose) * 0x9E3779B97F4A7C15ULL);
}
inline uint64_t stream_of(uint64_t epoch, uint64_t position) { return epoch << 40 | position; }

/// Many words of 32 bits at once, from the `first` one of a stream on; `first` and `count` in 64ths. Philox, as below.
void draw_words(uint64_t key, uint64_t stream, uint64_t first, int64_t count, uint32_t* to);

/// Counter-based random numbers: a pure function of (seed, epoch, position, purpose), so that no generator state
/// need be saved and the order in which threads draw changes nothing. Philox 4x32-10 (Salmon et al., SC 2011).
class Draw {
 public:
  Draw(uint64_t seed, uint64_t epoch, uint64_t position, Purpose purpose)
      : engine_(key_of(seed, purpose), stream_of(epoch, position)) {}

  /// In [0, 1), 24 bits.
  float uniform() { return static_cast<float>(engine_() >> 8) * 0x1p-24F; }
  /// In [0, 1), 53 bits.
  double fraction() { return static_cast<double>(below(uint64_t{1} << 53)) * 0x1p-53; }
  float between(float low, float high) { return low + (high - low) * uniform(); }
  /// In [-limit, limit).
  float symmetric(float limit) { return between(-limit, limit); }
  bool chance(float probability) { return uniform() < probability; }
  /// In [0, count), count at least 1; the bias of at most count / 2^64 is of no consequence.
  uint64_t below(uint64_t count) {
    const uint64_t high = engine_();
    return ((high << 32) | engine_()) % count;
  }

 private:
  at::Philox4_32 engine_;
};

}  // namespace fer
