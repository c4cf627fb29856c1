#pragma once
#include <cstdint>

#include "core/launch.h"

// A batch norm's arithmetic for one channel, shared by every device. Sums come in float64.
namespace fer::norm_relu_math {

struct Moments {
  double mean, variance;  // the latter divided by n
};

/// Of the sums of x - pivot and of its square over n values.
FER_DEVICE inline Moments moments_of(double first, double second, double n, double pivot) {
  const double offset = first / n, variance = second / n - offset * offset;
  // As written, what is not a number stays so.
  return {pivot + offset, variance < 0 ? 0 : variance};
}

/// Of the weight and the bias; and the gradient of x as scale * g + x * by_x + constant, g that of the norm's output.
struct Gradients {
  double weight, bias, by_x, constant;
};

/// Of the sums of g and of g (x - mean) over n values.
FER_DEVICE inline Gradients gradients_of(double first, double second, double n, double scale, double mean,
                                         double inverse_deviation) {
  const double with_x = second * inverse_deviation;  // sum of g times normalised x
  // dx = scale (g - mean of g - normalised x * mean of g normalised x)
  const double by_x = -scale * inverse_deviation * with_x / n;
  return {with_x, first, by_x, -scale * first / n - by_x * mean};
}

}  // namespace fer::norm_relu_math
