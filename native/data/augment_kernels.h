#pragma once
#include "core/launch.h"
#include "core/philox.h"
#include "data/augment.h"

// Augmentation on a GPU. What happens to each picture is drawn on the CPU, as ever; here is what that does to its
// pixels.
namespace fer {

/// A picture in the memory of its batch, and what happens to it.
struct Placed {
  int64_t begin;  // of its pixels, (height, width, channels) uint8
  int height, width, channels;
  Drawn drawn;
  Tone tone;  // for a mean level of zero

  FER_DEVICE int64_t count() const { return int64_t{height} * width * channels; }
};

/// Adds noise to pixels where they lie, and finds the mean level that then is. A block takes a picture.
struct NoiseAndMean {
  uint8_t* pixels;
  const Placed* pictures;
  const float* quantiles;
  float* means;

  static constexpr int halvings = 8;
  static_assert(1 << halvings == usual_threads);
  static Launch launch(int64_t pictures) { return {pictures, usual_threads}; }

  struct Shared {
    uint64_t sums[usual_threads];
  };
  struct Own {};
  FER_DEVICE int phases() const { return halvings + 2; }

  FER_DEVICE void run(int phase, const Thread& thread, Shared& shared, Own&) const {
    const auto& picture = pictures[thread.block];
    if (phase == 0) {
      shared.sums[thread.index] = add_up(thread, picture);
    } else if (phase <= halvings) {
      const int half = usual_threads >> phase;
      if (thread.index < half) shared.sums[thread.index] += shared.sums[thread.index + half];
    } else if (thread.index == 0) {
      means[thread.block] =
          static_cast<float>(static_cast<double>(shared.sums[0]) / static_cast<double>(picture.count()));
    }
  }

 private:
  /// A thread takes what one block of random words is for: 16 blocks side by side make 64 words, two levels each, and
  /// word by word those of all 16 (core/random.cpp).
  FER_DEVICE uint64_t add_up(const Thread& thread, const Placed& picture) const {
    constexpr int64_t width = 16, words = 4;
    const int64_t count = picture.count(), blocks = (count + 2 * words * width - 1) / (2 * words * width) * width;
    const auto& noise = picture.drawn.noise;
    uint8_t* levels = pixels + picture.begin;
    uint64_t sum = 0;
    for (int64_t block = thread.index; block < blocks; block += thread.count) {
      const PhiloxBlock random(noise.key, noise.stream, static_cast<uint64_t>(block));
      for (int64_t word = 0; word < words; ++word) {
        const int64_t first = 2 * (block / width * words * width + word * width + block % width);
        for (int64_t half = 0; half < 2 && first + half < count; ++half) {
          auto& level = levels[first + half];
          if (noise.deviation > 0) level = noisy(level, noise.deviation, random.words[word] >> (16 * half) & 0xFFFF);
          sum += level;
        }
      }
    }
    return sum;
  }

  FER_DEVICE uint8_t noisy(uint8_t level, float deviation, uint32_t draw) const {
    const float moved = static_cast<float>(level) + deviation * quantiles[draw >> (16 - quantile_bits)];
    return static_cast<uint8_t>((moved < 0 ? 0.0F : moved > 255 ? 255.0F : moved) + 0.5F);
  }
};

/// Resampling, light, normalisation and erasing in one: one item a pixel of the output (N, size, size, 3).
template <typename scalar_t>
struct Resample {
  const uint8_t* pixels;
  const Placed* pictures;
  const float* means;
  int64_t size;
  scalar_t* to;

  FER_DEVICE void operator()(int64_t at) const {
    const int64_t x = at % size, y = at / size % size, number = at / (size * size);
    const auto& picture = pictures[number];
    if (inside(picture.drawn.erased, x, y)) {
      for (int c = 0; c < 3; ++c) to[3 * at + c] = scalar_t(0.0F);
      return;
    }
    const auto& light = picture.drawn.light;
    const float offset = light.brightness * (1.0F - light.contrast) * means[number];
    const auto place = place_of(picture, static_cast<float>(x), static_cast<float>(y));
    for (int c = 0; c < 3; ++c) {
      const float level = read(picture, place, picture.channels == 3 ? c : 0) * picture.tone.factor + offset;
      const float kept = level < 0 ? 0.0F : level > 255 ? 255.0F : level;
      to[3 * at + c] = scalar_t(kept * picture.tone.channel_factor[c] + picture.tone.channel_offset[c]);
    }
  }

 private:
  /// Four neighbours and how far the point lies between them.
  struct Place {
    int x0, y0, x1, y1;
    float u, v;
  };

  FER_DEVICE static bool inside(const Rectangle& area, int64_t x, int64_t y) {
    return y >= area.top && y < area.top + area.height && x >= area.left && x < area.left + area.width;
  }

  FER_DEVICE static float within(float value, int last) {
    const auto limit = static_cast<float>(last);
    return value < 0 ? 0.0F : value > limit ? limit : value;
  }

  FER_DEVICE static Place place_of(const Placed& picture, float x, float y) {
    const auto& map = picture.drawn.map;
    const float source_x = within(map.a * x + (map.b * y + map.c), picture.width - 1);
    const float source_y = within(map.d * x + (map.e * y + map.f), picture.height - 1);
    const int x0 = static_cast<int>(source_x), y0 = static_cast<int>(source_y);
    return {x0,
            y0,
            x0 + 1 < picture.width ? x0 + 1 : x0,
            y0 + 1 < picture.height ? y0 + 1 : y0,
            source_x - static_cast<float>(x0),
            source_y - static_cast<float>(y0)};
  }

  FER_DEVICE float read(const Placed& picture, const Place& place, int channel) const {
    const auto level = [&](int x, int y) {
      const int64_t pixel = int64_t{y} * picture.width + x;
      return static_cast<float>(pixels[picture.begin + pixel * picture.channels + channel]);
    };
    const float top_left = level(place.x0, place.y0), base_left = level(place.x0, place.y1);
    const float top = top_left + place.u * (level(place.x1, place.y0) - top_left);
    const float base = base_left + place.u * (level(place.x1, place.y1) - base_left);
    return top + place.v * (base - top);
  }
};

}  // namespace fer
