#pragma once
#include "data/augment.h"

namespace fer {

/// All that a GPU does to a picture, in good measure; not `coarsen`, which stays on the CPU.
inline Augmentation everything() {
  return {.flip = 0.5F,
          .shift = 0.1F,
          .scale = 0.2F,
          .rotation = 20,
          .brightness = 0.3F,
          .contrast = 0.4F,
          .noise = 0.5F,
          .noise_deviation = 12,
          .flip_or_noise = 0.5F,
          .erase = 0.5F,
          .erase_smallest = 0.05F,
          .erase_largest = 0.3F,
          .coarsen = 0,
          .coarsen_smallest = 1};
}

}  // namespace fer
