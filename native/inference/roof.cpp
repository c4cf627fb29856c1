#include "inference/roof.h"

#include <ATen/ops/_int_mm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace fer {

double measure_product(Precision precision, int64_t side) {
  c10::InferenceMode inference;
  const bool bytes = precision == Precision::int8;
  const auto matrix = bytes ? at::randint(-128, 128, {side, side}, at::kChar)
                            : at::randn({side, side}).to(precision == Precision::float32 ? at::kFloat : at::kBFloat16);
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 6; ++run) {
    const auto started = std::chrono::steady_clock::now();
    bytes ? at::_int_mm(matrix, matrix) : at::matmul(matrix, matrix);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  }
  return best;
}

}  // namespace fer
