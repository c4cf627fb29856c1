#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "data/picture.h"
#include "ops/preprocess/preprocess.h"

namespace fer {

/// What may happen to a training picture. All amounts are limits of uniform draws; zero switches an item off.
struct Augmentation {
  float flip;             // probability
  float shift;            // of the side, each axis
  float scale;            // 0.1: between 1/1.1 and 1.1
  float rotation;         // degrees
  float brightness;       // 0.2: times 0.8 to 1.2
  float contrast;         // the same, about the picture's mean
  float noise;            // probability
  float noise_deviation;  // grey levels of the picture, before it is resampled
  float flip_or_noise;    // probability of one of the two, each as likely, beside those above
  float erase;            // probability
  float erase_smallest;   // area of the rectangle, of the picture's
  float erase_largest;
  float coarsen;           // probability of making the picture smaller first, as one from afar is
  float coarsen_smallest;  // fraction of its sides
};

/// Identifies one draw of one picture.
struct Position {
  uint64_t seed;
  uint64_t epoch;
  uint64_t index;  // of the picture within the epoch
};

/// Brightness and contrast: factors, the latter about the picture's mean.
struct Light {
  float brightness, contrast;
};

/// Pixels of the output; empty where nothing is erased.
struct Rectangle {
  int64_t top, left, height, width;
};

/// All that happens to one picture, drawn.
struct Drawn {
  Affine map;
  Light light;
  Rectangle erased;
  LevelNoise noise;
};
Drawn draw_augmentation(const Augmentation& settings, int64_t size, int64_t height, int64_t width, Position position);

/// Of a picture with this mean level: the light, then the network's normalisation.
Tone tone_of(const Light& light, float mean, const Normalization& normalization);

/// A picture (1, H, W, C) as the network would see it had it been taken at a lower resolution: both sides times one
/// random factor, or as it is.
at::Tensor coarsened(const at::Tensor& pixels, const Augmentation& settings, Position position);

/// pixels (height, width, channels) uint8 -> output (size, size, 3) float32 or bfloat16, normalised. One resampling for
/// flip, shift, scale and rotation together; edges repeat; erased areas take the normalisation's mean (zero).
template <typename scalar_t>
void augment(const uint8_t* pixels, int64_t height, int64_t width, int64_t channels, const Augmentation& settings,
             const InputFormat& format, Position position, scalar_t* output);

}  // namespace fer
