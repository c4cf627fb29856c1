#include "ops/winograd/winograd_weight.h"

#include "core/lanes.h"

namespace fer::winograd {
namespace math = winograd_math;
namespace {

constexpr int kernel = 3, cells = kernel * kernel;

/// Nine weights, sixteen channels each, to 36.
FER_INLINE void transform_cells(const Lanes* weights, float* to, int64_t plane) {
  Lanes rows[kernel * math::patch];
  for (int i = 0; i < kernel; ++i) math::transform_weight(weights + i * kernel, 1, rows + i * math::patch, 1);
  for (int j = 0; j < math::patch; ++j) {
    Lanes column[math::patch];
    math::transform_weight(rows + j, math::patch, column, 1);
    for (int i = 0; i < math::patch; ++i) store(column[i], to + (i * math::patch + j) * plane);
  }
}

/// Sixteen by sixteen channels, those of the output side by side, which in memory lie apart.
FER_INLINE void transform_block(const float* weight, int64_t in, float* to, int64_t row, int64_t plane) {
  float turned[cells][lanes][lanes];
  for (int64_t o = 0; o < lanes; ++o) {
    for (int cell = 0; cell < cells; ++cell) {
      for (int64_t i = 0; i < lanes; ++i) turned[cell][i][o] = weight[(o * cells + cell) * in + i];
    }
  }
  for (int64_t i = 0; i < lanes; ++i) {
    Lanes weights[cells];
    for (int cell = 0; cell < cells; ++cell) weights[cell] = load(turned[cell][i]);
    transform_cells(weights, to + i * row, plane);
  }
}

FER_VECTORIZED void transform_straight(const float* weight, WeightShape shape, int64_t first, int64_t width, float* to,
                                       int64_t plane) {
  for (int64_t in = 0; in < shape.in; in += lanes) {
    for (int64_t out = 0; out < width; out += lanes) {
      transform_block(weight + (first + out) * cells * shape.in + in, shape.in, to + in * width + out, width, plane);
    }
  }
}

FER_VECTORIZED void transform_turned(const float* weight, WeightShape shape, int64_t first, int64_t width, float* to,
                                     int64_t plane) {
  for (int64_t out = 0; out < shape.out; ++out) {
    const float* from = weight + out * cells * shape.in + first;
    for (int64_t in = 0; in < width; in += lanes) {
      Lanes weights[cells];
      for (int cell = 0; cell < cells; ++cell) weights[cell] = load(from + (cells - 1 - cell) * shape.in + in);
      transform_cells(weights, to + out * width + in, plane);
    }
  }
}

FER_VECTORIZED void transform_gradients(const float* from, int64_t plane, WeightShape shape, int64_t first,
                                        int64_t width, float* to) {
  for (int64_t out = 0; out < shape.out; ++out) {
    for (int64_t in = 0; in < width; in += lanes, from += lanes) {
      Lanes rows[kernel * math::patch];
      for (int j = 0; j < math::patch; ++j) {
        Lanes column[math::patch];
        for (int i = 0; i < math::patch; ++i) column[i] = load(from + (i * math::patch + j) * plane);
        math::transform_weight_gradient(column, 1, rows + j, math::patch);
      }
      for (int i = 0; i < kernel; ++i) {
        Lanes weights[kernel];
        math::transform_weight_gradient(rows + i * math::patch, 1, weights, 1);
        float* row = to + (out * cells + i * kernel) * shape.in + first + in;
        for (int j = 0; j < kernel; ++j) store(weights[j], row + j * shape.in);
      }
    }
  }
}

}  // namespace

void LiveWeight::transform(const Panels& panels, int64_t panel, float* to, int64_t plane) const {
  const auto transform = turned ? transform_turned : transform_straight;
  transform(weight, shape, panels.first(panel), panels.width(panel), to, plane);
}

void transform_weight_gradients(const float* from, int64_t plane, const Panels& panels, int64_t panel, float* to) {
  transform_gradients(from, plane, {panels.rows, panels.columns}, panels.first(panel), panels.width(panel), to);
}

}  // namespace fer::winograd
