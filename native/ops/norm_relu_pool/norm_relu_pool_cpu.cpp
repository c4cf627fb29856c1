#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <limits>

#include "core/lanes.h"
#include "ops/norm_relu_pool/norm_relu_pool.h"

namespace fer::norm_relu_pool_kernels {
namespace {

using at::BFloat16;
using norm_relu_kernels::Range;
using norm_relu_kernels::Rows;
using norm_relu_kernels::Sums;

constexpr int kernel = 3, stride = 2, padding = 1;
/// In the place of a window all of whose pixels the ReLU held back.
constexpr int nothing_passed = 255;

struct Shape {
  int64_t height, width, channels, out_height, out_width;
};

Shape shape_of(const at::Tensor& x) {
  const auto pooled = [](int64_t side) { return (side + 1) / stride; };
  return {x.size(2), x.size(3), x.size(1), pooled(x.size(2)), pooled(x.size(3))};
}

/// Sixteen places, as numbers that are compared with.
using Places = int32_t __attribute__((vector_size(lanes * sizeof(int32_t)), aligned(sizeof(int32_t))));
using Bytes = uint8_t __attribute__((vector_size(lanes), aligned(1)));

FER_INLINE Places load_places(const uint8_t* from) {
  return __builtin_convertvector(*reinterpret_cast<const Bytes*>(from), Places);
}
FER_INLINE void store_places(const Places& places, uint8_t* to) {
  *reinterpret_cast<Bytes*>(to) = __builtin_convertvector(places, Bytes);
}

/// One row of windows, `i`-th of its picture, which begins at `x`.
FER_VECTORIZED void pool_row(const BFloat16* x, Shape shape, int64_t i, const float* scale, const float* shift,
                             BFloat16* to, uint8_t* places) {
  const int64_t top = i * stride - padding;
  const int64_t first_row = std::max<int64_t>(0, -top), last_row = std::min<int64_t>(kernel, shape.height - top);
  for (int64_t j = 0; j < shape.out_width; ++j, to += shape.channels, places += shape.channels) {
    const int64_t left = j * stride - padding;
    const int64_t first = std::max<int64_t>(0, -left), last = std::min<int64_t>(kernel, shape.width - left);
    for (int64_t c = 0; c < shape.channels; c += lanes) {
      const Lanes factor = load(scale + c), offset = load(shift + c);
      Lanes largest = Lanes{} - std::numeric_limits<float>::infinity();
      Places place{};
      for (int64_t a = first_row; a < last_row; ++a) {
        for (int64_t b = first; b < last; ++b) {
          const Lanes value = load(x + ((top + a) * shape.width + left + b) * shape.channels + c) * factor + offset;
          // As written, what is not a number is taken for the largest.
          const Places larger = ~(value <= largest);
          largest = larger ? value : largest;
          place = larger ? Places{} + static_cast<int>(a * kernel + b) : place;
        }
      }
      store(rectified(largest), to + c);
      store_places(largest > 0 ? place : Places{} + nothing_passed, places + c);
    }
  }
}

/// What a window gives back, sixteen channels; beyond the map nothing.
struct Window {
  Lanes gradient{};
  Places place = Places{} + nothing_passed;

  FER_INLINE Lanes at(int pixel) const { return place == pixel ? gradient : Lanes{}; }
};

/// Two rows of a map, 2 i and the next, and the two rows of windows that reach them.
struct RowPair {
  const BFloat16* gradient;
  const uint8_t* places;
  Shape shape;
  int64_t i;
  bool last_row, last_window;  // whether there is no second one of the map, of the windows

  RowPair(const BFloat16* gradient, const uint8_t* places, const Shape& shape, int64_t pair)
      : shape(shape), i(pair % shape.out_height) {
    const int64_t place = pair * shape.out_width * shape.channels;
    this->gradient = gradient + place;
    this->places = places + place;
    last_row = i * stride + 1 >= shape.height;
    last_window = i + 1 >= shape.out_height;
  }

  FER_INLINE Window window(bool below, int64_t j, int64_t c) const {
    if ((below && last_window) || j >= shape.out_width) return {};
    const int64_t place = ((below ? shape.out_width : 0) + j) * shape.channels + c;
    return {load(gradient + place), load_places(places + place)};
  }

  /// Calls with what comes back to each pixel, and its row of the two and its column. A pixel in an even row and column
  /// lies in the middle of one window, others between two or four.
  template <typename Function>
  FER_INLINE void for_pixels(int64_t c, const Function& function) const {
    Window left = window(false, 0, c), left_below = window(true, 0, c);
    for (int64_t j = 0; j < shape.out_width; ++j) {
      const Window right = window(false, j + 1, c), right_below = window(true, j + 1, c);
      const int64_t column = j * stride;
      const bool last_column = column + 1 >= shape.width;
      function(left.at(4), 0, column);
      if (!last_column) function(left.at(5) + right.at(3), 0, column + 1);
      if (!last_row) function(left.at(7) + left_below.at(1), 1, column);
      if (!last_row && !last_column) {
        function(left.at(8) + right.at(6) + left_below.at(2) + right_below.at(0), 1, column + 1);
      }
      left = right;
      left_below = right_below;
    }
  }
};

/// The gradient and its product with x - mean.
FER_VECTORIZED void add_rows(RowPair pair, const BFloat16* x, const float* mean, Sums sums) {
  const auto& shape = pair.shape;
  for (int64_t c = 0; c < shape.channels; c += lanes) {
    const Lanes middle = load(mean + c);
    Lanes first = load(sums.first + c), second = load(sums.second + c);
    pair.for_pixels(c, [&](const Lanes& gradient, int64_t row, int64_t column) FER_INLINE_LAMBDA {
      first += gradient;
      second += gradient * (load(x + (row * shape.width + column) * shape.channels + c) - middle);
    });
    store(first, sums.first + c);
    store(second, sums.second + c);
  }
}

FER_VECTORIZED void combine_rows(RowPair pair, const BFloat16* x, const float* by_gradient, const float* by_x,
                                 const float* constant, BFloat16* to) {
  const auto& shape = pair.shape;
  for (int64_t c = 0; c < shape.channels; c += lanes) {
    const Lanes slope = load(by_gradient + c), x_slope = load(by_x + c), offset = load(constant + c);
    pair.for_pixels(c, [&](const Lanes& gradient, int64_t row, int64_t column) FER_INLINE_LAMBDA {
      const int64_t place = (row * shape.width + column) * shape.channels + c;
      store(gradient * slope + (load(x + place) * x_slope + offset), to + place);
    });
  }
}

Pooled forward_cpu(const at::Tensor& x, const NormValues& values) {
  RECORD_FUNCTION("fer_torch::norm_relu_pool", {});
  const auto shape = shape_of(x);
  const auto options = x.options().memory_format(at::MemoryFormat::ChannelsLast);
  const std::array<int64_t, 4> sizes{x.size(0), shape.channels, shape.out_height, shape.out_width};
  Pooled result{at::empty(sizes, options), at::empty(sizes, options.dtype(at::kByte))};
  const auto* from = x.const_data_ptr<BFloat16>();
  const auto* scale = values.scale.const_data_ptr<float>();
  const auto* shift = values.shift.const_data_ptr<float>();
  auto* to = result.output.mutable_data_ptr<BFloat16>();
  auto* places = result.places.mutable_data_ptr<uint8_t>();
  const int64_t picture = shape.height * shape.width * shape.channels, row = shape.out_width * shape.channels;
  at::parallel_for(0, x.size(0) * shape.out_height, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      pool_row(from + i / shape.out_height * picture, shape, i % shape.out_height, scale, shift, to + i * row,
               places + i * row);
    }
  });
  return result;
}

Gradients backward_cpu(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& places,
                       const NormValues& values) {
  RECORD_FUNCTION("fer_torch::norm_relu_pool_backward", {});
  const auto shape = shape_of(x);
  const auto dense = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  const auto* pixels = x.const_data_ptr<BFloat16>();
  const auto* mean = values.mean.const_data_ptr<float>();
  // Calls for each pair of rows, with where they begin in x.
  const auto for_pairs = [&](Range pairs, const auto& function) {
    for (int64_t i = pairs.begin; i < pairs.end; ++i) {
      const RowPair pair(dense.const_data_ptr<BFloat16>(), places.const_data_ptr<uint8_t>(), shape, i);
      const int64_t row = i / shape.out_height * shape.height + pair.i * stride;
      function(pair, row * shape.width * shape.channels);
    }
  };
  const Rows pairs{x.size(0) * shape.out_height, shape.channels};
  const auto totals = norm_relu_kernels::sum_rows(pairs, [&](Range range, Sums sums) {
    for_pairs(range, [&](const RowPair& pair, int64_t place) { add_rows(pair, pixels + place, mean, sums); });
  });
  const auto count = norm_relu_kernels::rows_of(x).count;
  const auto result = norm_relu_kernels::norm_gradients(totals, count, values);
  const auto* by_gradient = result.coefficients.gradient.const_data_ptr<float>();
  const auto* by_x = result.coefficients.x.const_data_ptr<float>();
  const auto* constant = result.coefficients.constant.const_data_ptr<float>();
  auto to_x = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  auto* to = to_x.mutable_data_ptr<BFloat16>();
  at::parallel_for(0, pairs.count, 4, [&](int64_t begin, int64_t end) {
    for_pairs({begin, end}, [&](const RowPair& pair, int64_t place) {
      combine_rows(pair, pixels + place, by_gradient, by_x, constant, to + place);
    });
  });
  return {to_x, result.weight, result.bias};
}

}  // namespace

constinit ByDevice<Pooled(const at::Tensor&, const NormValues&)> forward{"norm_relu_pool", forward_cpu};
constinit ByDevice<Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&, const NormValues&)> backward{
    "norm_relu_pool", backward_cpu};

}  // namespace fer::norm_relu_pool_kernels
