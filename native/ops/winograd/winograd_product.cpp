#include "ops/winograd/winograd_product.h"

#include "core/lanes.h"

namespace fer::winograd {
namespace {

// Six rows of four vectors are 24 sums, which with a row of B fill the 32 registers of AVX-512.
constexpr int most_rows = 6, most_vectors = 4;

template <int rows, int vectors>
FER_INLINE void multiply_tile(const float* a, const float* b, float* c, const Product& product) {
  Lanes sums[rows][vectors];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      sums[r][v] = product.accumulates ? load(c + r * product.c_row + v * lanes) : Lanes{};
    }
  }
  for (int64_t k = 0; k < product.depth; ++k) {
    Lanes row[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) row[v] = load(b + k * product.b_depth + v * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const float factor = a[r * product.a_row + k * product.a_depth];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(sums[r][v], c + r * product.c_row + v * lanes);
  }
}

template <int vectors>
FER_INLINE void multiply_columns(int64_t column, const Product& product) {
  const float* a = product.a;
  const float* b = product.b + column;
  float* c = product.c + column;
  int64_t left = product.rows;
  for (; left >= most_rows; left -= most_rows) {
    multiply_tile<most_rows, vectors>(a, b, c, product);
    a += most_rows * product.a_row;
    c += most_rows * product.c_row;
  }
  if (left == 5) multiply_tile<5, vectors>(a, b, c, product);
  if (left == 4) multiply_tile<4, vectors>(a, b, c, product);
  if (left == 3) multiply_tile<3, vectors>(a, b, c, product);
  if (left == 2) multiply_tile<2, vectors>(a, b, c, product);
  if (left == 1) multiply_tile<1, vectors>(a, b, c, product);
}

}  // namespace

FER_VECTORIZED void multiply(const Product& product) {
  int64_t column = 0;
  for (; column + most_vectors * lanes <= product.columns; column += most_vectors * lanes) {
    multiply_columns<most_vectors>(column, product);
  }
  const int64_t left = (product.columns - column) / lanes;
  if (left == 3) multiply_columns<3>(column, product);
  if (left == 2) multiply_columns<2>(column, product);
  if (left == 1) multiply_columns<1>(column, product);
}

}  // namespace fer::winograd
