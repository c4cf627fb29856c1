#include "ops/preprocess/preprocess.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <string>

#include "core/error.h"
#include "ops/resize/resize.h"

namespace fer {
namespace {

at::Tensor to_grey(const at::Tensor& pixels) {
  const auto dense = pixels.contiguous();
  auto grey = at::empty({dense.size(0), dense.size(1), dense.size(2), 1}, dense.options());
  const auto* from = dense.const_data_ptr<uint8_t>();
  auto* to = grey.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, grey.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
  });
  return grey;
}

}  // namespace

at::Tensor to_color(const at::Tensor& pixels, Color color) {
  const auto channels = pixels.size(3);
  if (channels != 1 && channels != 3) {
    throw Error("ERR_BAD_DATA", "Expected pictures of 1 or 3 channels, got " + std::to_string(channels));
  }
  if (color == Color::grey) return channels == 1 ? pixels : to_grey(pixels);
  return channels == 3 ? pixels : pixels.expand({pixels.size(0), pixels.size(1), pixels.size(2), 3});
}

void normalize_pixels(const uint8_t* pixels, int64_t area, int64_t channels, const Normalization& normalization,
                      float* output) {
  float scale[3], offset[3];
  for (int c = 0; c < 3; ++c) {
    scale[c] = 1.0F / (255.0F * normalization.deviation[c]);
    offset[c] = -normalization.mean[c] / normalization.deviation[c];
  }
  for (int64_t i = 0; i < area; ++i, pixels += channels) {
    for (int64_t c = 0; c < 3; ++c) {
      *output++ = static_cast<float>(pixels[channels == 3 ? c : 0]) * scale[c] + offset[c];
    }
  }
}

at::Tensor preprocess(const at::Tensor& pixels, const InputFormat& format) {
  // A grey picture is resized as one channel whatever the network wants: the result is the same and costs a third.
  const auto colored = pixels.size(3) == 1 ? pixels : to_color(pixels, format.color);
  const auto sized = resize(colored, format.size, format.size).contiguous();
  const auto area = format.size * format.size, channels = sized.size(3);
  auto output = at::empty({sized.size(0), format.size, format.size, 3}, sized.options().dtype(at::kFloat));
  const auto* from = sized.const_data_ptr<uint8_t>();
  auto* to = output.mutable_data_ptr<float>();
  at::parallel_for(0, sized.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      normalize_pixels(from + n * area * channels, area, channels, format.normalization, to + n * area * 3);
    }
  });
  return output.permute({0, 3, 1, 2});
}

}  // namespace fer
