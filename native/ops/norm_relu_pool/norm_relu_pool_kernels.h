#pragma once
#include "ops/norm_relu/norm_relu_kernels.h"

// The end of a stem on a GPU: batch norm, ReLU and max pooling of 3 x 3, stride 2, padding 1. A thread takes eight
// channels of a pixel, as in norm_relu.
namespace fer::norm_relu_pool_kernels {

using norm_relu_kernels::load_octet;
using norm_relu_kernels::Octet;
using norm_relu_kernels::octet;
using norm_relu_kernels::store_octet;
using Places = Pack<uint8_t, octet>;

inline constexpr int window = 3, stride = 2, padding = 1;
/// In the place of a window all of whose pixels the ReLU held back.
inline constexpr uint8_t nothing_passed = 255;

/// Of x (images, channels, height, width), channels-last.
struct Shape {
  int64_t images, height, width, channels;

  constexpr int64_t out_height() const { return (height + 1) / stride; }
  constexpr int64_t out_width() const { return (width + 1) / stride; }
  constexpr int64_t pixels() const { return images * height * width; }
  constexpr int64_t windows() const { return images * out_height() * out_width(); }
};

/// The largest of each window, and which of its nine pixels that was. One item eight channels of a window.
struct Pool {
  const c10::BFloat16* x;
  Shape shape;
  const float *scale, *shift;
  c10::BFloat16* to;
  uint8_t* places;

  int64_t items() const { return shape.windows() * shape.channels / octet; }
  FER_DEVICE void operator()(int64_t at) const {
    const int64_t channel = at * octet % shape.channels, pixel = at * octet / shape.channels;
    const int64_t j = pixel % shape.out_width(), i = pixel / shape.out_width() % shape.out_height();
    const int64_t image = pixel / (shape.out_width() * shape.out_height());
    Octet largest;
    Places place;
    for (int k = 0; k < octet; ++k) {
      largest.values[k] = -INFINITY;
      place.values[k] = nothing_passed;
    }
    for (int a = 0; a < window; ++a) {
      const int64_t y = i * stride - padding + a;
      if (y < 0 || y >= shape.height) continue;
      for (int b = 0; b < window; ++b) {
        const int64_t column = j * stride - padding + b;
        if (column < 0 || column >= shape.width) continue;
        take(((image * shape.height + y) * shape.width + column) * shape.channels, channel, a * window + b, largest,
             place);
      }
    }
    for (int k = 0; k < octet; ++k) {
      if (!(largest.values[k] > 0)) place.values[k] = nothing_passed;
      if (largest.values[k] < 0) largest.values[k] = 0;
    }
    store_octet(largest, to + at * octet);
    store_pack(place, places + at * octet);
  }

 private:
  FER_DEVICE void take(int64_t row, int64_t channel, int pixel, Octet& largest, Places& place) const {
    const auto value = load_octet(x + row + channel);
    for (int k = 0; k < octet; ++k) {
      const float level = value.values[k] * scale[channel + k] + shift[channel + k];
      // As written, what is not a number is taken for the largest.
      if (level <= largest.values[k]) continue;
      largest.values[k] = level;
      place.values[k] = static_cast<uint8_t>(pixel);
    }
  }
};

/// What comes back to a pixel from the windows it lies in, one to four of them.
struct Returned {
  const c10::BFloat16* gradient;
  const uint8_t* places;
  Shape shape;

  FER_DEVICE Octet at(int64_t pixel, int64_t channel) const {
    const int64_t column = pixel % shape.width, y = pixel / shape.width % shape.height;
    const int64_t image = pixel / (shape.width * shape.height);
    Octet sum{};
    for (int64_t i = y / stride; i <= (y + 1) / stride && i < shape.out_height(); ++i) {
      for (int64_t j = column / stride; j <= (column + 1) / stride && j < shape.out_width(); ++j) {
        const auto own = static_cast<uint8_t>((y - i * stride + padding) * window + column - j * stride + padding);
        const int64_t from = ((image * shape.out_height() + i) * shape.out_width() + j) * shape.channels + channel;
        const auto value = load_octet(gradient + from);
        const auto place = load_pack<octet>(places + from);
        for (int k = 0; k < octet; ++k) sum.values[k] += place.values[k] == own ? value.values[k] : 0.0F;
      }
    }
    return sum;
  }
};

/// Terms of SumRows: what comes back, and its product with x - mean.
struct ReturnedTerms {
  Returned returned;
  const c10::BFloat16* x;
  const float* mean;

  FER_DEVICE void add(int64_t row, int64_t channel, Octet& first, Octet& second) const {
    const auto through = returned.at(row, channel), value = load_octet(x + row * returned.shape.channels + channel);
    for (int k = 0; k < octet; ++k) {
      first.values[k] += through.values[k];
      second.values[k] += through.values[k] * (value.values[k] - mean[channel + k]);
    }
  }
};

/// The gradient of x. One item eight channels of a pixel.
struct CombineReturned {
  Returned returned;
  const c10::BFloat16* x;
  const float *scale, *by_x, *constant;
  c10::BFloat16* to;

  int64_t items() const { return returned.shape.pixels() * returned.shape.channels / octet; }
  FER_DEVICE void operator()(int64_t at) const {
    const int64_t channels = returned.shape.channels, channel = at * octet % channels;
    const auto through = returned.at(at * octet / channels, channel), value = load_octet(x + at * octet);
    Octet result;
    for (int k = 0; k < octet; ++k) {
      const int64_t c = channel + k;
      result.values[k] = through.values[k] * scale[c] + (value.values[k] * by_x[c] + constant[c]);
    }
    store_octet(result, to + at * octet);
  }
};

}  // namespace fer::norm_relu_pool_kernels
