#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

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

/// Normalises one picture of `area` pixels into three interleaved float32 channels; grey fills all three.
void normalize_pixels(const uint8_t* pixels, int64_t area, int64_t channels, const Normalization& normalization,
                      float* output);

/// (N, H, W, C) uint8 of any size -> (N, 3, size, size) float32, channels-last: colour, then size, then normalisation.
at::Tensor preprocess(const at::Tensor& pixels, const InputFormat& format);

}  // namespace fer
