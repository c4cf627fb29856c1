#pragma once
#include "core/vectorize.h"

// The transforms of F(4 x 4, 3 x 3) with the points 0, 1, -1, 2, -2 and infinity, each of one row or column: Y = A^T
// ((G g G^T) * (B^T d B)) A. Values are numbers or vectors of numbers.
namespace fer::winograd_math {

inline constexpr int tile = 4;   // outputs a side
inline constexpr int patch = 6;  // inputs a side
inline constexpr int planes = patch * patch;

/// B^T: six inputs, `stride` apart.
template <typename T>
FER_INLINE void transform_input(const T* from, int from_stride, T* to, int to_stride) {
  const T d0 = from[0], d1 = from[from_stride], d2 = from[2 * from_stride], d3 = from[3 * from_stride],
          d4 = from[4 * from_stride], d5 = from[5 * from_stride];
  const T even = d4 - 4 * d2, odd = d3 - 4 * d1;
  const T near = d4 - d2, far = 2 * (d3 - d1);
  to[0] = 4 * d0 - 5 * d2 + d4;
  to[to_stride] = even + odd;
  to[2 * to_stride] = even - odd;
  to[3 * to_stride] = near + far;
  to[4 * to_stride] = near - far;
  to[5 * to_stride] = 4 * d1 - 5 * d3 + d5;
}

/// A^T: six products to four outputs.
template <typename T>
FER_INLINE void transform_output(const T* from, int from_stride, T* to, int to_stride) {
  const T m0 = from[0], m1 = from[from_stride], m2 = from[2 * from_stride], m3 = from[3 * from_stride],
          m4 = from[4 * from_stride], m5 = from[5 * from_stride];
  const T near = m1 + m2, far = m3 + m4, near_difference = m1 - m2, far_difference = m3 - m4;
  to[0] = m0 + near + far;
  to[to_stride] = near_difference + 2 * far_difference;
  to[2 * to_stride] = near + 4 * far;
  to[3 * to_stride] = near_difference + 8 * far_difference + m5;
}

/// G, row by row.
inline constexpr double weight_rows[patch][3] = {{1.0 / 4, 0, 0},
                                                 {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                                 {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                                 {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                                 {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                                 {0, 0, 1}};

}  // namespace fer::winograd_math
