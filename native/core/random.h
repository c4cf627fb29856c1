#pragma once
#include <ATen/core/PhiloxRNGEngine.h>

#include <cmath>
#include <cstdint>
#include <numbers>

namespace fer {

/// What a draw is for: draws for different purposes never share numbers.
enum class Purpose : uint64_t { shuffle = 1, flip, affine, light, noise, erase, alternative };

/// Counter-based random numbers: a pure function of (seed, epoch, position, purpose), so that no generator state
/// need be saved and the order in which threads draw changes nothing. Philox 4x32-10 (Salmon et al., SC 2011).
class Draw {
 public:
  Draw(uint64_t seed, uint64_t epoch, uint64_t position, Purpose purpose)
      : engine_(seed ^ (static_cast<uint64_t>(purpose) * 0x9E3779B97F4A7C15ULL), epoch << 40 | position) {}

  /// In [0, 1), 24 bits.
  float uniform() { return static_cast<float>(engine_() >> 8) * 0x1p-24F; }
  float between(float low, float high) { return low + (high - low) * uniform(); }
  /// In [-limit, limit).
  float symmetric(float limit) { return between(-limit, limit); }
  bool chance(float probability) { return uniform() < probability; }
  /// Mean 0, deviation 1 (Box and Muller 1958; ATen's own randn spends a whole Philox block on each).
  float normal() {
    const float radius = std::sqrt(-2.0F * std::log(1.0F - uniform()));
    return radius * std::cos(2.0F * std::numbers::pi_v<float> * uniform());
  }
  /// In [0, count), count at least 1; the bias of at most count / 2^64 is of no consequence.
  uint64_t below(uint64_t count) {
    const uint64_t high = engine_();
    return ((high << 32) | engine_()) % count;
  }

 private:
  at::Philox4_32 engine_;
};

}  // namespace fer
