#pragma once
#include <algorithm>
#include <cstdint>

#include "ops/winograd/winograd_math.h"

namespace fer::winograd {

/// A matrix (rows, columns) cut into panels of columns, each a matrix of its own, the last one perhaps narrower: what
/// is read row by row of one panel then lies side by side.
struct Panels {
  int64_t rows, columns, widest;

  int64_t count() const { return (columns + widest - 1) / widest; }
  int64_t first(int64_t panel) const { return panel * widest; }
  int64_t width(int64_t panel) const { return std::min(widest, columns - first(panel)); }
  /// Where a panel begins, and how much the whole is.
  int64_t place(int64_t panel) const { return first(panel) * rows; }
  int64_t floats() const { return rows * columns; }
};

/// Weights lie as (O, 3, 3, I), which is (O, I, 3, 3) channels-last; both numbers of channels in sixteens.
struct WeightShape {
  int64_t out, in;
};

/// Weights as a product reads them, 36 planes `plane` apart: G g G^T as (I, O), or that of the kernel turned by half a
/// turn as (O, I), with which the convolution of an output's gradient is that of the input.
struct LiveWeight {
  const float* weight;
  WeightShape shape;
  bool turned;

  Panels panels(int64_t widest) const {
    return turned ? Panels{shape.out, shape.in, widest} : Panels{shape.in, shape.out, widest};
  }
  void transform(const Panels& panels, int64_t panel, float* to, int64_t plane) const;
};

/// One panel of the gradients of transformed weights, 36 planes of (O, I), to those of the weights.
void transform_weight_gradients(const float* from, int64_t plane, const Panels& panels, int64_t panel, float* to);

}  // namespace fer::winograd
