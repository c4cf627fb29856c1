#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

#include "ops/de_albino/de_albino.h"
#include "ops/de_albino/de_albino_math.h"

namespace fer::de_albino_kernels {
namespace math = de_albino_math;
using math::Geometry;
namespace {

/// (256, 25), zero outside the kernel.
at::Tensor tiles_of(const at::Tensor& kernel) {
  const auto dense = kernel.contiguous();
  auto tiles = at::zeros({math::tile_area, math::pairs_in_plane}, kernel.options());
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, kernel.scalar_type(), "de_albino_tiles", [&] {
    const auto* from = dense.const_data_ptr<scalar_t>();
    auto* to = tiles.mutable_data_ptr<scalar_t>();
    math::for_each_cell([&](int64_t row, int64_t column, int64_t u, int64_t v) {
      to[row * math::pairs_in_plane + column] = from[u * math::kernel_side + v];
    });
  });
  return tiles;
}

/// Transposes tiles_of: sums each kernel cell over the places it was copied to.
at::Tensor fold_tiles(const at::Tensor& tiles) {
  const auto dense = tiles.contiguous();
  auto kernel = at::empty({math::kernel_side, math::kernel_side}, tiles.options());
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, tiles.scalar_type(), "de_albino_fold", [&] {
    const auto* from = dense.const_data_ptr<scalar_t>();
    std::array<at::opmath_type<scalar_t>, math::kernel_side * math::kernel_side> sums{};
    math::for_each_cell([&](int64_t row, int64_t column, int64_t u, int64_t v) {
      sums[static_cast<size_t>(u * math::kernel_side + v)] += from[row * math::pairs_in_plane + column];
    });
    std::copy(sums.begin(), sums.end(), kernel.mutable_data_ptr<scalar_t>());
  });
  return kernel;
}

/// Y[n, c, i, j] = sum of the products that meet there.
template <typename scalar_t>
void gather(const scalar_t* products, scalar_t* output, const Geometry& g) {
  using sum_t = at::opmath_type<scalar_t>;
  at::parallel_for(0, g.images * g.maps, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t n = plane / g.maps, c = plane % g.maps;
      scalar_t* to = output + plane * g.out_height() * g.out_width();
      for (int64_t i = 0; i < g.out_height(); ++i) {
        for (int64_t j = 0; j < g.out_width(); ++j) {
          sum_t sum = 0;
          math::for_each_term(i, j, [&](int64_t y, int64_t x, int64_t column) {
            sum += static_cast<sum_t>(products[g.row(n, y, x, c) + column]);
          });
          *to++ = static_cast<scalar_t>(sum);
        }
      }
    }
  });
}

/// Transposes gather: every product of a pixel takes the gradient of its one output, or zero at the border.
template <typename scalar_t>
void scatter(const scalar_t* gradient, scalar_t* products, const Geometry& g) {
  at::parallel_for(0, g.images * g.maps, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t n = plane / g.maps, c = plane % g.maps;
      const scalar_t* from = gradient + plane * g.out_height() * g.out_width();
      for (int64_t i = 0; i < g.out_height(); ++i) {
        for (int64_t j = 0; j < g.out_width(); ++j, ++from) {
          math::for_each_term(
              i, j, [&](int64_t y, int64_t x, int64_t column) { products[g.row(n, y, x, c) + column] = *from; });
        }
      }
    }
  });
}

at::Tensor forward_cpu(const at::Tensor& features, const at::Tensor& kernel) {
  const auto g = math::geometry_of(features.sizes());
  const auto products = at::matmul(as_rows(features), tiles_of(kernel));
  auto output = at::empty({g.images, g.maps, g.out_height(), g.out_width()}, features.options());
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, features.scalar_type(), "de_albino", [&] {
    gather(products.const_data_ptr<scalar_t>(), output.mutable_data_ptr<scalar_t>(), g);
  });
  return output;
}

Gradients backward_cpu(const at::Tensor& gradient, const at::Tensor& features, const at::Tensor& kernel) {
  const auto g = math::geometry_of(features.sizes());
  const auto dense = gradient.contiguous();
  auto products = at::zeros({g.rows(), math::pairs_in_plane}, features.options());
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, features.scalar_type(), "de_albino_backward", [&] {
    scatter(dense.const_data_ptr<scalar_t>(), products.mutable_data_ptr<scalar_t>(), g);
  });
  const auto rows = at::matmul(products, tiles_of(kernel).t());
  return {as_map(rows, features), fold_tiles(at::matmul(as_rows(features).t(), products))};
}

}  // namespace

constinit ByDevice<at::Tensor(const at::Tensor&, const at::Tensor&)> forward{"de_albino", forward_cpu};
constinit ByDevice<Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&)> backward{"de_albino",
                                                                                                backward_cpu};

bool applies(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings) {
  return settings.upscale == math::tile && settings.stride == math::stride && kernel.size(0) == math::kernel_side &&
         kernel.size(1) == math::kernel_side && features.size(2) >= 2 && features.size(3) >= 2;
}

at::Tensor as_rows(const at::Tensor& features) {
  return features.permute({0, 2, 3, 1}).contiguous().view({-1, math::tile_area});
}

at::Tensor as_map(const at::Tensor& rows, const at::Tensor& features) {
  const auto sizes = features.sizes();
  return rows.view({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

}  // namespace fer::de_albino_kernels
