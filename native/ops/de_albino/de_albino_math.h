#pragma once
#include <cstdint>

// The indexing of de-albino as a matrix product, shared by every device.
//
// Channels-last features hold the 256 values of one pixel and one map side by side: they are one 16 x 16 tile of the
// arranged map. Write an output row as i = 2 p + phase. The 32 kernel rows that start at 8 i then cover tiles
// p + 0 .. p + 1 (phase 0) or p + 0 .. p + 2 (phase 1): five (phase, tap) pairs an axis, 25 in the plane.
// Within a pair, row `a` of the tile meets kernel row 16 tap + a - 8 phase.
namespace fer::de_albino_math {

inline constexpr int64_t tile = 16;
inline constexpr int64_t kernel_side = 32;
inline constexpr int64_t stride = 8;
inline constexpr int64_t tile_area = tile * tile;

struct Pair {
  int64_t phase;
  int64_t tap;
};
inline constexpr int64_t pairs = 5;
inline constexpr int64_t pairs_in_plane = pairs * pairs;
inline constexpr Pair pair[pairs] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}};

inline constexpr int64_t first_pair(int64_t phase) { return phase == 0 ? 0 : 2; }
inline constexpr int64_t taps(int64_t phase) { return phase == 0 ? 2 : 3; }

/// The kernel row (or column) that meets row `a` of the tile; outside 0..31 the product is zero.
inline constexpr int64_t kernel_row(Pair p, int64_t a) { return tile * p.tap + a - stride * p.phase; }
inline constexpr bool in_kernel(int64_t row) { return row >= 0 && row < kernel_side; }

/// Visits every product of output (i, j): `visit(y, x, column)` names the feature pixel and the column of the 25.
template <typename Visit>
inline void for_each_term(int64_t i, int64_t j, Visit&& visit) {
  const int64_t phase_i = i % 2, phase_j = j % 2;
  for (int64_t d = 0; d < taps(phase_i); ++d) {
    for (int64_t e = 0; e < taps(phase_j); ++e) {
      visit(i / 2 + d, j / 2 + e, (first_pair(phase_i) + d) * pairs + first_pair(phase_j) + e);
    }
  }
}

/// Visits every kernel cell a tile holds: `visit(row in tile, column of the 25, kernel row, kernel column)`.
template <typename Visit>
inline void for_each_cell(Visit&& visit) {
  for (int64_t t = 0; t < pairs; ++t) {
    for (int64_t a = 0; a < tile; ++a) {
      const int64_t u = kernel_row(pair[t], a);
      if (!in_kernel(u)) continue;
      for (int64_t r = 0; r < pairs; ++r) {
        for (int64_t b = 0; b < tile; ++b) {
          const int64_t v = kernel_row(pair[r], b);
          if (in_kernel(v)) visit(a * tile + b, t * pairs + r, u, v);
        }
      }
    }
  }
}

}  // namespace fer::de_albino_math
