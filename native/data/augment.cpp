#include "data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.h"
#include "data/picture.h"
#include "ops/resize/resize.h"

namespace fer {
namespace {

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

Light random_light(const Augmentation& settings, Position position) {
  auto random = draw(position, Purpose::light);
  const float brightness = 1.0F + random.symmetric(settings.brightness);
  return {brightness, 1.0F + random.symmetric(settings.contrast)};
}

/// Random erasing (Zhong et al., arXiv 1708.04896): one rectangle, sides in a ratio of 0.3 to 3.3; empty if none.
Rectangle random_erasing(const Augmentation& settings, int64_t size, Position position) {
  auto random = draw(position, Purpose::erase);
  if (!random.chance(settings.erase)) return {};
  const float area = random.between(settings.erase_smallest, settings.erase_largest) * static_cast<float>(size * size);
  const float ratio = std::exp(random.symmetric(std::log(3.3F)));
  const auto side = [&](float length) { return std::clamp<int64_t>(std::lround(length), 1, size); };
  const int64_t height = side(std::sqrt(area * ratio)), width = side(std::sqrt(area / ratio));
  const auto top = static_cast<int64_t>(random.below(static_cast<uint64_t>(size - height + 1)));
  const auto left = static_cast<int64_t>(random.below(static_cast<uint64_t>(size - width + 1)));
  return {top, left, height, width};
}

/// Memory that one picture after the other uses.
struct Desk {
  std::vector<uint8_t> noisy;
  std::vector<uint32_t> unpacked;
};

}  // namespace

at::Tensor coarsened(const at::Tensor& pixels, const Augmentation& settings, Position position) {
  auto random = draw(position, Purpose::resolution);
  if (!random.chance(settings.coarsen)) return pixels;
  const float factor = random.between(settings.coarsen_smallest, 1);
  const auto side = [factor](int64_t of) { return std::max<int64_t>(1, std::lround(factor * static_cast<float>(of))); };
  return resize(pixels, side(pixels.size(1)), side(pixels.size(2)));
}

Drawn draw_augmentation(const Augmentation& settings, int64_t size, int64_t height, int64_t width, Position position) {
  const auto happens = random_happenings(settings, position);
  return {.map = random_affine(settings, happens.flip, height, width, size, position),
          .light = random_light(settings, position),
          .erased = random_erasing(settings, size, position),
          .noise = {.deviation = happens.noise ? settings.noise_deviation : 0,
                    .key = key_of(position.seed, Purpose::noise_levels),
                    .stream = stream_of(position.epoch, position.index)}};
}

Tone tone_of(const Light& light, float mean, const Normalization& normalization) {
  Tone tone{.factor = light.brightness * light.contrast,
            .offset = light.brightness * (1.0F - light.contrast) * mean,
            .channel_factor = {},
            .channel_offset = {}};
  for (size_t c = 0; c < 3; ++c) {
    tone.channel_factor[c] = 1.0F / (255.0F * normalization.deviation[c]);
    tone.channel_offset[c] = -normalization.mean[c] / normalization.deviation[c];
  }
  return tone;
}

template <typename scalar_t>
void augment(const uint8_t* pixels, int64_t height, int64_t width, int64_t channels, const Augmentation& settings,
             const InputFormat& format, Position position, scalar_t* output) {
  thread_local Desk desk;
  const int64_t count = height * width, size = format.size;
  const auto drawn = draw_augmentation(settings, size, height, width, position);
  if (drawn.noise.deviation > 0) {
    desk.noisy.resize(static_cast<size_t>(count * channels));
    add_noise(pixels, count * channels, drawn.noise, desk.noisy.data());
    pixels = desk.noisy.data();
  }
  desk.unpacked.resize(static_cast<size_t>(count));
  unpack(pixels, count, channels, desk.unpacked.data());
  const Source source{desk.unpacked.data(), height, width};
  const float mean = drawn.light.contrast == 1 ? 0 : mean_level(pixels, count * channels);
  const auto tone = tone_of(drawn.light, mean, format.normalization);
  const auto& erased = drawn.erased;
  for (int64_t y = 0; y < size; ++y) {
    scalar_t* row = output + y * size * 3;
    resample_row(source, drawn.map, y, size, tone, row);
    const bool crosses = y >= erased.top && y < erased.top + erased.height;
    if (crosses) std::fill_n(row + erased.left * 3, erased.width * 3, scalar_t(0.0F));
  }
}

template void augment(const uint8_t*, int64_t, int64_t, int64_t, const Augmentation&, const InputFormat&, Position,
                      float*);
template void augment(const uint8_t*, int64_t, int64_t, int64_t, const Augmentation&, const InputFormat&, Position,
                      c10::BFloat16*);

}  // namespace fer
