#include "ops/preprocess/preprocess.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "ops/resize/resize.h"

namespace fer {
namespace preprocess_kernels {
namespace {

at::Tensor grey_cpu(const at::Tensor& pixels) {
  const auto dense = pixels.contiguous();
  auto grey = at::empty({dense.size(0), dense.size(1), dense.size(2), 1}, dense.options());
  const auto* from = dense.const_data_ptr<uint8_t>();
  auto* to = grey.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, grey.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
  });
  return grey;
}

/// What each of the 256 levels of a channel becomes.
template <typename scalar_t>
using Table = std::array<std::array<scalar_t, 256>, 3>;

template <typename scalar_t>
Table<scalar_t> table_of(const Normalization& normalization, Encoding encoding) {
  Table<scalar_t> table;
  for (size_t c = 0; c < 3; ++c) {
    const float scale = 1.0F / (255.0F * normalization.deviation[c]);
    const float offset = -normalization.mean[c] / normalization.deviation[c];
    for (size_t level = 0; level < 256; ++level) {
      const float value = static_cast<float>(level) * scale + offset;
      if constexpr (std::is_same_v<scalar_t, uint8_t>) {
        const float place = value / encoding.step + static_cast<float>(encoding.zero);
        table[c][level] = static_cast<uint8_t>(std::lround(std::clamp(place, 0.0F, 255.0F)));
      } else {
        table[c][level] = value;
      }
    }
  }
  return table;
}

template <typename scalar_t>
void look_up(const at::Tensor& pixels, const Table<scalar_t>& table, at::Tensor& output) {
  const auto channels = pixels.size(3);
  const int64_t green = channels == 3 ? 1 : 0, blue = channels == 3 ? 2 : 0;
  const auto* from = pixels.const_data_ptr<uint8_t>();
  auto* to = output.mutable_data_ptr<scalar_t>();
  at::parallel_for(0, pixels.numel() / channels, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      to[3 * i] = table[0][from[channels * i]];
      to[3 * i + 1] = table[1][from[channels * i + green]];
      to[3 * i + 2] = table[2][from[channels * i + blue]];
    }
  });
}

at::Tensor normalise_cpu(const at::Tensor& pixels, const Normalization& normalization, const Encoding& encoding) {
  auto output = at::empty({pixels.size(0), pixels.size(1), pixels.size(2), 3}, pixels.options().dtype(encoding.dtype));
  switch (encoding.dtype) {
    case at::kBFloat16:
      look_up<at::BFloat16>(pixels, table_of<at::BFloat16>(normalization, encoding), output);
      break;
    case at::kByte:
      look_up<uint8_t>(pixels, table_of<uint8_t>(normalization, encoding), output);
      break;
    default:
      look_up<float>(pixels, table_of<float>(normalization, encoding), output);
  }
  return output;
}

}  // namespace

constinit ByDevice<at::Tensor(const at::Tensor&)> grey{"preprocess", grey_cpu};
constinit ByDevice<at::Tensor(const at::Tensor&, const Normalization&, const Encoding&)> normalise{"preprocess",
                                                                                                   normalise_cpu};

}  // namespace preprocess_kernels

at::Tensor to_color(const at::Tensor& pixels, Color color) {
  const auto channels = pixels.size(3);
  if (channels != 1 && channels != 3) {
    throw Error("ERR_BAD_DATA", "Expected pictures of 1 or 3 channels, got " + std::to_string(channels));
  }
  if (color == Color::grey) return channels == 1 ? pixels : preprocess_kernels::grey(pixels);
  return channels == 3 ? pixels : pixels.expand({pixels.size(0), pixels.size(1), pixels.size(2), 3});
}

at::Tensor preprocess(const at::Tensor& pixels, const InputFormat& format, Encoding encoding) {
  // A grey picture is resized as one channel whatever the network wants: the result is the same and costs a third.
  const auto colored = pixels.size(3) == 1 ? pixels : to_color(pixels, format.color);
  const auto sized = resize(colored, format.size, format.size).contiguous();
  return preprocess_kernels::normalise(sized, format.normalization, encoding).permute({0, 3, 1, 2});
}

}  // namespace fer
