#pragma once
#include "core/launch.h"
#include "ops/preprocess/preprocess.h"

// Preprocessing on a GPU: a pass over uint8 pixels, one item a pixel.
namespace fer::preprocess_kernels {

/// (N, H, W, 3) -> (N, H, W, 1).
struct Grey {
  const uint8_t* from;
  uint8_t* to;

  FER_DEVICE void operator()(int64_t i) const { to[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]); }
};

/// What a level of a channel becomes: level * scale + offset.
struct Levels {
  float scale[3], offset[3];

  explicit Levels(const Normalization& normalization) {
    for (size_t c = 0; c < 3; ++c) {
      scale[c] = 1.0F / (255.0F * normalization.deviation[c]);
      offset[c] = -normalization.mean[c] / normalization.deviation[c];
    }
  }
};

/// (N, H, W, 1 or 3) -> (N, H, W, 3) normalised; grey fills all three channels.
template <typename scalar_t>
struct Normalise {
  const uint8_t* from;
  int channels;
  Levels levels;
  scalar_t* to;

  FER_DEVICE void operator()(int64_t i) const {
    for (int c = 0; c < 3; ++c) {
      const uint8_t level = from[channels * i + (channels == 3 ? c : 0)];
      to[3 * i + c] = static_cast<scalar_t>(static_cast<float>(level) * levels.scale[c] + levels.offset[c]);
    }
  }
};

}  // namespace fer::preprocess_kernels
