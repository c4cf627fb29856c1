#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "core/launch_cuda.cuh"
#include "ops/norm_relu/norm_relu_sums.cuh"
#include "ops/norm_relu_pool/norm_relu_pool.h"
#include "ops/norm_relu_pool/norm_relu_pool_kernels.h"

namespace fer::norm_relu_pool_kernels {
namespace {

using at::BFloat16;

Shape shape_of(const at::Tensor& x) { return {x.size(0), x.size(2), x.size(3), x.size(1)}; }

Pooled forward_cuda(const at::Tensor& x, const NormValues& values) {
  const auto shape = shape_of(x);
  const auto options = x.options().memory_format(at::MemoryFormat::ChannelsLast);
  const std::array<int64_t, 4> sizes{shape.images, shape.channels, shape.out_height(), shape.out_width()};
  Pooled result{at::empty(sizes, options), at::empty(sizes, options.dtype(at::kByte))};
  const Pool pool{x.const_data_ptr<BFloat16>(),
                  shape,
                  values.scale.const_data_ptr<float>(),
                  values.shift.const_data_ptr<float>(),
                  result.output.mutable_data_ptr<BFloat16>(),
                  result.places.mutable_data_ptr<uint8_t>()};
  launch_each(pool, pool.items());
  return result;
}

Gradients backward_cuda(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& places,
                        const NormValues& values) {
  const auto shape = shape_of(x);
  const auto dense = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  const auto* pixels = x.const_data_ptr<BFloat16>();
  const Returned returned{dense.const_data_ptr<BFloat16>(), places.const_data_ptr<uint8_t>(), shape};
  const auto extent = norm_relu_kernels::extent_of(x);
  const norm_relu_kernels::Sum sum(ReturnedTerms{returned, pixels, values.mean.const_data_ptr<float>()}, extent, x);
  const auto result = norm_relu_kernels::finish_gradients(sum.pieces, extent.rows, values);
  auto to_x = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  const CombineReturned combine{returned,
                                pixels,
                                values.scale.const_data_ptr<float>(),
                                result.coefficients.x.const_data_ptr<float>(),
                                result.coefficients.constant.const_data_ptr<float>(),
                                to_x.mutable_data_ptr<BFloat16>()};
  launch_each(combine, combine.items());
  return {to_x, result.weight, result.bias};
}

[[maybe_unused]] const bool built = (forward.cuda = forward_cuda, backward.cuda = backward_cuda, true);

}  // namespace
}  // namespace fer::norm_relu_pool_kernels
