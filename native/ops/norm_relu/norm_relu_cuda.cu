#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "core/launch_cuda.cuh"
#include "ops/norm_relu/norm_relu.h"
#include "ops/norm_relu/norm_relu_kernels.h"
#include "ops/norm_relu/norm_relu_sums.cuh"

namespace fer::norm_relu_kernels {
namespace {

using at::BFloat16;

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }
at::Tensor like(const at::Tensor& map) { return at::empty_like(map, map.options(), at::MemoryFormat::ChannelsLast); }
const BFloat16* pointer(const at::Tensor& map) { return map.defined() ? map.const_data_ptr<BFloat16>() : nullptr; }

NormValues normalization_cuda(const at::Tensor& x, const Norm& norm) {
  const auto extent = extent_of(x);
  const Sum sum(MomentTerms{pointer(x), extent.channels}, extent, x);
  const auto empty = [&] { return at::empty_like(norm.running_mean); };
  NormValues values{
      .weight = norm.weight, .scale = empty(), .shift = empty(), .mean = empty(), .inverse_deviation = empty()};
  launch_each(FinishNorm{.pieces = sum.pieces,
                         .x = pointer(x),
                         .rows = static_cast<double>(extent.rows),
                         .momentum = norm.momentum,
                         .epsilon = norm.epsilon,
                         .weight = norm.weight.const_data_ptr<float>(),
                         .bias = norm.bias.const_data_ptr<float>(),
                         .running_mean = norm.running_mean.mutable_data_ptr<float>(),
                         .running_variance = norm.running_variance.mutable_data_ptr<float>(),
                         .scale = values.scale.mutable_data_ptr<float>(),
                         .shift = values.shift.mutable_data_ptr<float>(),
                         .mean = values.mean.mutable_data_ptr<float>(),
                         .inverse_deviation = values.inverse_deviation.mutable_data_ptr<float>()},
              extent.channels);
  return values;
}

at::Tensor forward_cuda(const at::Tensor& x, const at::Tensor& addend, const NormValues& values, bool relu) {
  const auto extent = extent_of(x);
  auto output = like(x);
  launch_each(Normalize{pointer(x), pointer(addend), extent, values.scale.const_data_ptr<float>(),
                        values.shift.const_data_ptr<float>(), relu, output.mutable_data_ptr<BFloat16>()},
              extent.octets());
  return output;
}

Gradients backward_cuda(const at::Tensor& gradient, const Saved& saved) {
  const auto& values = saved.values;
  const auto extent = extent_of(saved.x);
  const auto dense = channels_last(gradient);
  Masked masked{pointer(dense),
                pointer(saved.x),
                pointer(saved.output),
                values.scale.const_data_ptr<float>(),
                values.shift.const_data_ptr<float>(),
                saved.relu};
  // What passes to the addend is what comes back, but for the ReLU.
  auto passed = saved.adds ? (saved.relu ? like(dense) : dense) : at::Tensor();
  auto* kept = saved.adds && saved.relu ? passed.mutable_data_ptr<BFloat16>() : nullptr;
  const Sum sum(GradientTerms{masked, values.mean.const_data_ptr<float>(), extent.channels, kept}, extent, saved.x);
  const auto result = finish_gradients(sum.pieces, extent.rows, values);
  if (kept)
    masked = {.gradient = kept, .x = masked.x, .output = nullptr, .scale = nullptr, .shift = nullptr, .relu = false};
  auto to_x = like(saved.x);
  launch_each(
      Combine{masked, extent, values.scale.const_data_ptr<float>(), result.coefficients.x.const_data_ptr<float>(),
              result.coefficients.constant.const_data_ptr<float>(), to_x.mutable_data_ptr<BFloat16>()},
      extent.octets());
  return {to_x, passed, result.weight, result.bias};
}

[[maybe_unused]] const bool built =
    (normalization.cuda = normalization_cuda, forward.cuda = forward_cuda, backward.cuda = backward_cuda, true);

}  // namespace
}  // namespace fer::norm_relu_kernels
