#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include "core/launch_cuda.cuh"
#include "ops/de_albino/de_albino.h"
#include "ops/de_albino/de_albino_kernels.h"

namespace fer::de_albino_kernels {
namespace math = de_albino_math;
namespace {

#define FER_DISPATCH(type, name, ...) AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, type, name, __VA_ARGS__)

template <typename Item>
void launch_items(const Item& item) {
  launch_each(item, item.items());
}

at::Tensor tiles_of(const at::Tensor& kernel) {
  const auto dense = kernel.contiguous();
  auto tiles = at::empty({math::tile_area, math::pairs_in_plane}, kernel.options());
  FER_DISPATCH(kernel.scalar_type(), "de_albino_tiles", [&] {
    launch_items(TileKernel<scalar_t>{dense.const_data_ptr<scalar_t>(), tiles.mutable_data_ptr<scalar_t>()});
  });
  return tiles;
}

at::Tensor fold_tiles(const at::Tensor& tiles) {
  const auto dense = tiles.contiguous();
  auto kernel = at::empty({math::kernel_side, math::kernel_side}, tiles.options());
  FER_DISPATCH(tiles.scalar_type(), "de_albino_fold", [&] {
    launch_items(FoldTiles<scalar_t>{dense.const_data_ptr<scalar_t>(), kernel.mutable_data_ptr<scalar_t>()});
  });
  return kernel;
}

at::Tensor forward_cuda(const at::Tensor& features, const at::Tensor& kernel) {
  const auto g = math::geometry_of(features.sizes());
  const auto products = at::matmul(as_rows(features), tiles_of(kernel));
  auto output = at::empty({g.images, g.maps, g.out_height(), g.out_width()}, features.options());
  FER_DISPATCH(features.scalar_type(), "de_albino", [&] {
    launch_items(Gather<scalar_t>{products.const_data_ptr<scalar_t>(), output.mutable_data_ptr<scalar_t>(), g});
  });
  return output;
}

Gradients backward_cuda(const at::Tensor& gradient, const at::Tensor& features, const at::Tensor& kernel) {
  const auto g = math::geometry_of(features.sizes());
  const auto dense = gradient.contiguous();
  auto products = at::empty({g.rows(), math::pairs_in_plane}, features.options());
  FER_DISPATCH(features.scalar_type(), "de_albino_backward", [&] {
    launch_items(Scatter<scalar_t>{dense.const_data_ptr<scalar_t>(), products.mutable_data_ptr<scalar_t>(), g});
  });
  return {as_map(at::matmul(products, tiles_of(kernel).t()), features),
          fold_tiles(at::matmul(as_rows(features).t(), products))};
}

[[maybe_unused]] const bool built = (forward.cuda = forward_cuda, backward.cuda = backward_cuda, true);

}  // namespace
}  // namespace fer::de_albino_kernels
