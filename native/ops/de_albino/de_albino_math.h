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
/// In their order; not a table of them, which code of a GPU could not read.
inline constexpr Pair pair_of(int64_t i) { return i < 2 ? Pair{0, i} : Pair{1, i - 2}; }

inline constexpr int64_t first_pair(int64_t phase) { return phase == 0 ? 0 : 2; }
inline constexpr int64_t taps(int64_t phase) { return phase == 0 ? 2 : 3; }

/// The kernel row (or column) that meets row `a` of the tile; outside 0..31 the product is zero.
inline constexpr int64_t kernel_row(Pair p, int64_t a) { return tile * p.tap + a - stride * p.phase; }
inline constexpr bool in_kernel(int64_t row) { return row >= 0 && row < kernel_side; }

/// The other ways round: the row of the tile that meets kernel row `u`, and the output row that tile row `y` adds to.
inline constexpr int64_t tile_row(Pair p, int64_t u) { return u - tile * p.tap + stride * p.phase; }
inline constexpr bool in_tile(int64_t row) { return row >= 0 && row < tile; }
inline constexpr int64_t output_row(Pair p, int64_t y) { return 2 * (y - p.tap) + p.phase; }

/// Of features (images, maps * 256, height, width).
struct Geometry {
  int64_t images, maps, height, width;

  constexpr int64_t out_height() const { return 2 * height - 3; }
  constexpr int64_t out_width() const { return 2 * width - 3; }
  constexpr int64_t rows() const { return images * height * width * maps; }
  constexpr int64_t outputs() const { return images * maps * out_height() * out_width(); }
  /// Offset of the 25 products of one feature pixel and map.
  constexpr int64_t row(int64_t n, int64_t y, int64_t x, int64_t c) const {
    return (((n * height + y) * width + x) * maps + c) * pairs_in_plane;
  }
};

/// `sizes` (n, c, h, w) of features.
template <typename Sizes>
constexpr Geometry geometry_of(const Sizes& sizes) {
  return {sizes[0], sizes[1] / tile_area, sizes[2], sizes[3]};
}

/// Visits every product of output (i, j): `visit(y, x, column)` names the feature pixel and the column of the 25.
template <typename Visit>
constexpr void for_each_term(int64_t i, int64_t j, Visit&& visit) {
  const int64_t phase_i = i % 2, phase_j = j % 2;
  for (int64_t d = 0; d < taps(phase_i); ++d) {
    for (int64_t e = 0; e < taps(phase_j); ++e) {
      visit(i / 2 + d, j / 2 + e, (first_pair(phase_i) + d) * pairs + first_pair(phase_j) + e);
    }
  }
}

/// Visits every kernel cell a tile holds: `visit(row in tile, column of the 25, kernel row, kernel column)`.
template <typename Visit>
constexpr void for_each_cell(Visit&& visit) {
  for (int64_t t = 0; t < pairs; ++t) {
    for (int64_t a = 0; a < tile; ++a) {
      const int64_t u = kernel_row(pair_of(t), a);
      if (!in_kernel(u)) continue;
      for (int64_t r = 0; r < pairs; ++r) {
        for (int64_t b = 0; b < tile; ++b) {
          const int64_t v = kernel_row(pair_of(r), b);
          if (in_kernel(v)) visit(a * tile + b, t * pairs + r, u, v);
        }
      }
    }
  }
}

}  // namespace fer::de_albino_math
