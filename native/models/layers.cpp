#include "models/layers.h"

#include <ATen/core/grad_mode.h>

namespace fer {

Convolution fold(const ConvolutionLayerImpl& layer, const torch::nn::BatchNorm2dImpl& norm, ValueId input, bool relu,
                 std::optional<ValueId> addend) {
  at::NoGradGuard no_grad;
  const auto scale = norm.weight.to(at::kDouble) / (norm.running_var.to(at::kDouble) + norm.options.eps()).sqrt();
  return {.input = input,
          .weight = (layer.weight * scale.view({-1, 1, 1, 1})).to(at::kFloat).contiguous(),
          .bias = (norm.bias - norm.running_mean * scale).to(at::kFloat),
          .stride = layer.stride,
          .padding = layer.padding,
          .addend = addend,
          .relu = relu};
}

}  // namespace fer
