#pragma once
#include <array>
#include <cstdint>

#include "core/by_device.h"

namespace fer {

enum class Color { grey, rgb };

/// Mean and deviation of each channel, in units of pixel value / 255.
struct Normalization {
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
};

/// What a network expects of its pictures.
struct InputFormat {
  int64_t size;
  Color color;
  Normalization normalization;
};

/// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded to the nearest grey level.
constexpr uint8_t luma(uint8_t red, uint8_t green, uint8_t blue) {
  return static_cast<uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

/// (N, H, W, C) uint8, C = 1 or 3 -> (N, H, W, 1) for grey, (N, H, W, 3) for rgb.
at::Tensor to_color(const at::Tensor& pixels, Color color);

/// How normalised values are kept: as they are, rounded to bfloat16, or as uint8 levels of `step`, `zero` standing for
/// 0.
struct Encoding {
  at::ScalarType dtype = at::kFloat;
  float step = 1;
  int zero = 0;
};

/// (N, H, W, C) uint8 of any size -> (N, 3, size, size), channels-last: colour, then size, then normalisation, the last
/// in one pass from uint8 to the encoding. Grey fills all three channels.
at::Tensor preprocess(const at::Tensor& pixels, const InputFormat& format, Encoding encoding = {});

namespace preprocess_kernels {

/// (N, H, W, 3) uint8 -> (N, H, W, 1) uint8.
extern ByDevice<at::Tensor(const at::Tensor&)> grey;
/// (N, H, W, 1 or 3) uint8, contiguous -> (N, H, W, 3) in the encoding.
extern ByDevice<at::Tensor(const at::Tensor&, const Normalization&, const Encoding&)> normalise;

}  // namespace preprocess_kernels

}  // namespace fer
