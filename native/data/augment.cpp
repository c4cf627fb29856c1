#include "data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.h"

namespace fer {
namespace {

/// Where in the source picture an output pixel is read: x' = a x + b y + c, y' = d x + e y + f, in pixels.
struct Affine {
  float a, b, c, d, e, f;
};

Draw draw(Position position, Purpose purpose) { return {position.seed, position.epoch, position.index, purpose}; }

/// What happens to a picture or does not.
struct Happens {
  bool flip, noise;
};

Happens random_happenings(const Augmentation& settings, Position position) {
  auto alternative = draw(position, Purpose::alternative);
  const bool one = alternative.chance(settings.flip_or_noise), first = alternative.chance(0.5F);
  return {.flip = draw(position, Purpose::flip).chance(settings.flip) || (one && first),
          .noise = draw(position, Purpose::noise).chance(settings.noise) || (one && !first)};
}

Affine random_affine(const Augmentation& settings, bool flip, int64_t height, int64_t width, int64_t size,
                     Position position) {
  auto random = draw(position, Purpose::affine);
  const float angle = random.symmetric(settings.rotation) * std::numbers::pi_v<float> / 180.0F;
  const float zoom = std::exp(random.symmetric(std::log1p(settings.scale)));
  const float shift_x = random.symmetric(settings.shift), shift_y = random.symmetric(settings.shift);
  const float mirror = flip ? -1.0F : 1.0F;
  const float step_x = static_cast<float>(width) / static_cast<float>(size) / zoom;
  const float step_y = static_cast<float>(height) / static_cast<float>(size) / zoom;
  Affine map{};
  map.a = mirror * std::cos(angle) * step_x;
  map.b = -std::sin(angle) * step_x;
  map.d = mirror * std::sin(angle) * step_y;
  map.e = std::cos(angle) * step_y;
  // The centre of the output reads the shifted centre of the source; pixel centres lie at half integers.
  const float middle = static_cast<float>(size) / 2.0F - 0.5F;
  map.c = static_cast<float>(width) * (0.5F + shift_x) - 0.5F - middle * (map.a + map.b);
  map.f = static_cast<float>(height) * (0.5F + shift_y) - 0.5F - middle * (map.d + map.e);
  return map;
}

/// Bilinear; outside the picture its edge repeats.
void resample(const uint8_t* pixels, int64_t height, int64_t width, int64_t channels, const Affine& map, int64_t size,
              float* output) {
  const float right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t x = 0; x < size; ++x) {
      const float source_x =
          std::clamp(map.a * static_cast<float>(x) + map.b * static_cast<float>(y) + map.c, 0.0F, right);
      const float source_y =
          std::clamp(map.d * static_cast<float>(x) + map.e * static_cast<float>(y) + map.f, 0.0F, bottom);
      const auto x0 = static_cast<int64_t>(source_x), y0 = static_cast<int64_t>(source_y);
      const int64_t to_right = x0 + 1 < width ? channels : 0, below = y0 + 1 < height ? width * channels : 0;
      const float u = source_x - static_cast<float>(x0), v = source_y - static_cast<float>(y0);
      const uint8_t* corner = pixels + (y0 * width + x0) * channels;
      for (int64_t c = 0; c < channels; ++c, ++corner) {
        const float top = corner[0] + u * static_cast<float>(corner[to_right] - corner[0]);
        const float base = corner[below] + u * static_cast<float>(corner[below + to_right] - corner[below]);
        *output++ = top + v * (base - top);
      }
    }
  }
}

void relight(std::vector<float>& levels, const Augmentation& settings, Position position) {
  if (settings.brightness == 0.0F && settings.contrast == 0.0F) return;
  auto random = draw(position, Purpose::light);
  const float brightness = 1.0F + random.symmetric(settings.brightness);
  const float contrast = 1.0F + random.symmetric(settings.contrast);
  float sum = 0.0F;
  for (const float level : levels) sum += level;
  const float mean = sum / static_cast<float>(levels.size());
  for (float& level : levels) level = std::clamp(brightness * (mean + contrast * (level - mean)), 0.0F, 255.0F);
}

/// A copy with Gaussian noise on every value.
std::vector<uint8_t> with_noise(const uint8_t* pixels, int64_t count, const Augmentation& settings, Position position) {
  auto random = draw(position, Purpose::noise);
  random.uniform();  // the one that decided whether there is noise
  std::vector<uint8_t> noisy(pixels, pixels + count);
  for (auto& level : noisy) {
    const float value = static_cast<float>(level) + settings.noise_deviation * random.normal();
    level = static_cast<uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
  }
  return noisy;
}

void normalize(const std::vector<float>& levels, int64_t channels, const Normalization& normalization, float* output) {
  for (size_t i = 0; i < levels.size(); i += static_cast<size_t>(channels)) {
    for (size_t c = 0; c < 3; ++c) {
      const float level = levels[i + (channels == 3 ? c : 0)] / 255.0F;
      *output++ = (level - normalization.mean[c]) / normalization.deviation[c];
    }
  }
}

/// Random erasing (Zhong et al., arXiv 1708.04896): one rectangle, sides in a ratio of 0.3 to 3.3.
void erase(float* output, int64_t size, const Augmentation& settings, Position position) {
  auto random = draw(position, Purpose::erase);
  if (!random.chance(settings.erase)) return;
  const float area = random.between(settings.erase_smallest, settings.erase_largest) * static_cast<float>(size * size);
  const float ratio = std::exp(random.symmetric(std::log(3.3F)));
  const auto side = [&](float length) { return std::clamp<int64_t>(std::lround(length), 1, size); };
  const int64_t height = side(std::sqrt(area * ratio)), width = side(std::sqrt(area / ratio));
  const auto top = static_cast<int64_t>(random.below(static_cast<uint64_t>(size - height + 1)));
  const auto left = static_cast<int64_t>(random.below(static_cast<uint64_t>(size - width + 1)));
  for (int64_t y = top; y < top + height; ++y) std::fill_n(output + (y * size + left) * 3, width * 3, 0.0F);
}

}  // namespace

void augment(const uint8_t* pixels, int64_t height, int64_t width, int64_t channels, const Augmentation& settings,
             const InputFormat& format, Position position, float* output) {
  const auto happens = random_happenings(settings, position);
  std::vector<uint8_t> noisy;
  if (happens.noise) {
    noisy = with_noise(pixels, height * width * channels, settings, position);
    pixels = noisy.data();
  }
  std::vector<float> levels(static_cast<size_t>(format.size * format.size * channels));
  const auto map = random_affine(settings, happens.flip, height, width, format.size, position);
  resample(pixels, height, width, channels, map, format.size, levels.data());
  relight(levels, settings, position);
  normalize(levels, channels, format.normalization, output);
  erase(output, format.size, settings, position);
}

}  // namespace fer
