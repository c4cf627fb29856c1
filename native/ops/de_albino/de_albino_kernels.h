#pragma once
#include <ATen/OpMathType.h>

#include "core/launch.h"
#include "ops/de_albino/de_albino_math.h"

// What a GPU computes around the matrix product of de-albino, one item a thread. Each writes what no other does, so
// nothing need be zeroed or added to atomically, and results are the same from run to run.
namespace fer::de_albino_kernels {

/// The kernel (32, 32) -> tiles (256, 25), zero outside the kernel. One item a cell of the tiles.
template <typename scalar_t>
struct TileKernel {
  const scalar_t* kernel;
  scalar_t* tiles;

  static constexpr int64_t items() { return de_albino_math::tile_area * de_albino_math::pairs_in_plane; }
  FER_DEVICE void operator()(int64_t i) const {
    using namespace de_albino_math;
    const int64_t row = i / pairs_in_plane, column = i % pairs_in_plane;
    const int64_t u = kernel_row(pair_of(column / pairs), row / tile);
    const int64_t v = kernel_row(pair_of(column % pairs), row % tile);
    tiles[i] = in_kernel(u) && in_kernel(v) ? kernel[u * kernel_side + v] : scalar_t(0.0F);
  }
};

/// Transposes TileKernel: sums each kernel cell over the places it was copied to. One item a cell of the kernel.
template <typename scalar_t>
struct FoldTiles {
  const scalar_t* tiles;
  scalar_t* kernel;

  static constexpr int64_t items() { return de_albino_math::kernel_side * de_albino_math::kernel_side; }
  FER_DEVICE void operator()(int64_t i) const {
    using namespace de_albino_math;
    at::opmath_type<scalar_t> sum = 0;
    for (int64_t t = 0; t < pairs; ++t) {
      const int64_t a = tile_row(pair_of(t), i / kernel_side);
      if (!in_tile(a)) continue;
      for (int64_t r = 0; r < pairs; ++r) {
        const int64_t b = tile_row(pair_of(r), i % kernel_side);
        if (in_tile(b)) sum += tiles[(a * tile + b) * pairs_in_plane + t * pairs + r];
      }
    }
    kernel[i] = static_cast<scalar_t>(sum);
  }
};

/// products (n h w m, 25) -> output (n, m, s, s): the sum of those that meet there. One item an output.
template <typename scalar_t>
struct Gather {
  const scalar_t* products;
  scalar_t* output;
  de_albino_math::Geometry geometry;

  int64_t items() const { return geometry.outputs(); }
  FER_DEVICE void operator()(int64_t at) const {
    const auto& g = geometry;
    const int64_t j = at % g.out_width(), i = at / g.out_width() % g.out_height();
    const int64_t plane = at / (g.out_width() * g.out_height());
    at::opmath_type<scalar_t> sum = 0;
    de_albino_math::for_each_term(i, j, [&](int64_t y, int64_t x, int64_t column) {
      sum += static_cast<at::opmath_type<scalar_t>>(products[g.row(plane / g.maps, y, x, plane % g.maps) + column]);
    });
    output[at] = static_cast<scalar_t>(sum);
  }
};

/// Transposes Gather: every product takes the gradient of its one output, or zero at the border. One item a product.
template <typename scalar_t>
struct Scatter {
  const scalar_t* gradient;
  scalar_t* products;
  de_albino_math::Geometry geometry;

  int64_t items() const { return geometry.rows() * de_albino_math::pairs_in_plane; }
  FER_DEVICE void operator()(int64_t at) const {
    using namespace de_albino_math;
    const auto& g = geometry;
    const int64_t column = at % pairs_in_plane, row = at / pairs_in_plane;
    const int64_t c = row % g.maps, x = row / g.maps % g.width, y = row / (g.maps * g.width) % g.height;
    const int64_t n = row / (g.maps * g.width * g.height);
    const int64_t i = output_row(pair_of(column / pairs), y), j = output_row(pair_of(column % pairs), x);
    const bool inside = i >= 0 && i < g.out_height() && j >= 0 && j < g.out_width();
    products[at] = inside ? gradient[((n * g.maps + c) * g.out_height() + i) * g.out_width() + j] : scalar_t(0.0F);
  }
};

}  // namespace fer::de_albino_kernels
