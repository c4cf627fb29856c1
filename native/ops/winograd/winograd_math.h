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

/// A: four gradients of outputs to those of six products, the transpose of `transform_output`.
template <typename T>
FER_INLINE void transform_gradient(const T* from, int from_stride, T* to, int to_stride) {
  const T d0 = from[0], d1 = from[from_stride], d2 = from[2 * from_stride], d3 = from[3 * from_stride];
  const T even = d0 + d2, odd = d1 + d3, far_even = d0 + 4 * d2, far_odd = 2 * d1 + 8 * d3;
  to[0] = d0;
  to[to_stride] = even + odd;
  to[2 * to_stride] = even - odd;
  to[3 * to_stride] = far_even + far_odd;
  to[4 * to_stride] = far_even - far_odd;
  to[5 * to_stride] = d3;
}

/// G: three weights to six.
template <typename T>
FER_INLINE void transform_weight(const T* from, int from_stride, T* to, int to_stride) {
  const T g0 = from[0], g1 = from[from_stride], g2 = from[2 * from_stride];
  const T near = (g0 + g2) * (1.0F / 6), far = g0 * (1.0F / 24) + g2 * (1.0F / 6);
  to[0] = g0 * 0.25F;
  to[to_stride] = -near - g1 * (1.0F / 6);
  to[2 * to_stride] = g1 * (1.0F / 6) - near;
  to[3 * to_stride] = far + g1 * (1.0F / 12);
  to[4 * to_stride] = far - g1 * (1.0F / 12);
  to[5 * to_stride] = g2;
}

/// G^T: the gradients of six transformed weights to those of three.
template <typename T>
FER_INLINE void transform_weight_gradient(const T* from, int from_stride, T* to, int to_stride) {
  const T u0 = from[0], u1 = from[from_stride], u2 = from[2 * from_stride], u3 = from[3 * from_stride],
          u4 = from[4 * from_stride], u5 = from[5 * from_stride];
  const T near = (u1 + u2) * (1.0F / 6), far = u3 + u4;
  to[0] = u0 * 0.25F - near + far * (1.0F / 24);
  to[to_stride] = (u2 - u1) * (1.0F / 6) + (u3 - u4) * (1.0F / 12);
  to[2 * to_stride] = far * (1.0F / 6) - near + u5;
}

}  // namespace fer::winograd_math
