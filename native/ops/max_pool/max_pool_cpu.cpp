#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/vectorize.h"
#include "ops/max_pool/max_pool.h"

namespace fer {
namespace {

struct Window {
  int64_t kernel, stride, padding;
};

/// The rows or columns [begin, end) that one window covers.
struct Span {
  int64_t begin, end;
  Span(int64_t index, int64_t size, Window window)
      : begin(std::max<int64_t>(0, index * window.stride - window.padding)),
        end(std::min(size, index * window.stride - window.padding + window.kernel)) {}
};

/// The bits of a bfloat16 as an integer of the same order; its own inverse.
FER_INLINE int16_t ordered(int16_t bits) { return static_cast<int16_t>(bits ^ ((bits >> 15) & 0x7FFF)); }
FER_INLINE float larger(float a, float b) { return a < b ? b : a; }
FER_INLINE uint8_t larger(uint8_t a, uint8_t b) { return a < b ? b : a; }
FER_INLINE int16_t larger(int16_t a, int16_t b) { return ordered(std::max(ordered(a), ordered(b))); }

/// One row of windows; the channels of a pixel lie side by side.
template <typename scalar_t>
FER_INLINE void pool_row_of(const scalar_t* map, int64_t width, int64_t channels, Span rows, int64_t out_width,
                            Window window, scalar_t* to) {
  for (int64_t j = 0; j < out_width; ++j, to += channels) {
    const Span columns(j, width, window);
    std::memcpy(to, map + (rows.begin * width + columns.begin) * channels, sizeof(scalar_t) * channels);
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      for (int64_t x = columns.begin; x < columns.end; ++x) {
        const scalar_t* from = map + (y * width + x) * channels;
        for (int64_t c = 0; c < channels; ++c) to[c] = larger(to[c], from[c]);
      }
    }
  }
}

FER_VECTORIZED void pool_row(const float* map, int64_t width, int64_t channels, Span rows, int64_t out_width,
                             Window window, float* __restrict to) {
  pool_row_of(map, width, channels, rows, out_width, window, to);
}
FER_VECTORIZED void pool_row(const int16_t* map, int64_t width, int64_t channels, Span rows, int64_t out_width,
                             Window window, int16_t* __restrict to) {
  pool_row_of(map, width, channels, rows, out_width, window, to);
}
FER_VECTORIZED void pool_row(const uint8_t* map, int64_t width, int64_t channels, Span rows, int64_t out_width,
                             Window window, uint8_t* __restrict to) {
  pool_row_of(map, width, channels, rows, out_width, window, to);
}

template <typename scalar_t>
void pool(const at::Tensor& map, Window window, at::Tensor& output) {
  const auto channels = map.size(1), height = map.size(2), width = map.size(3);
  const auto out_height = output.size(2), out_width = output.size(3);
  const auto* from = static_cast<const scalar_t*>(map.const_data_ptr());
  auto* to = static_cast<scalar_t*>(output.mutable_data_ptr());
  at::parallel_for(0, map.size(0) * out_height, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      pool_row(from + row / out_height * height * width * channels, width, channels,
               Span(row % out_height, height, window), out_width, window, to + row * out_width * channels);
    }
  });
}

}  // namespace

at::Tensor max_pool(const at::Tensor& map, int64_t kernel, int64_t stride, int64_t padding) {
  if (map.is_cuda()) return at::max_pool2d(map, kernel, stride, padding);
  const auto dense = map.contiguous(at::MemoryFormat::ChannelsLast);
  const auto out_side = [&](int64_t side) { return (side + 2 * padding - kernel) / stride + 1; };
  auto output = at::empty({map.size(0), map.size(1), out_side(map.size(2)), out_side(map.size(3))},
                          map.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Window window{kernel, stride, padding};
  switch (map.scalar_type()) {
    case at::kFloat:
      pool<float>(dense, window, output);
      break;
    case at::kBFloat16:
      pool<int16_t>(dense, window, output);
      break;
    case at::kByte:
      pool<uint8_t>(dense, window, output);
      break;
    default:
      throw Error("ERR_NATIVE", "max_pool reads float32, bfloat16 and uint8");
  }
  return output;
}

}  // namespace fer
