#pragma once
#include <cstdint>

namespace fer::winograd {

/// A (rows, depth) by B (depth, columns), columns in sixteens. Those of B and C lie side by side; A may be transposed.
struct Product {
  const float* a;
  int64_t a_row, a_depth;  // strides
  const float* b;
  int64_t b_depth;
  float* c;
  int64_t c_row;
  int64_t rows, columns, depth;
  bool accumulates;  // C += A B rather than C = A B
};

/// On this thread. Faster here than calls of oneDNN's or MKL's products, which are meant for larger ones, and reads a
/// transposed A as fast as another.
void multiply(const Product& product);

}  // namespace fer::winograd
