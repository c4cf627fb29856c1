#include "models/layers.h"

#include <ATen/core/grad_mode.h>

#include "ops/norm_relu/norm_relu.h"

namespace fer {

at::Tensor activate(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& addend, bool relu) {
  if (norm.is_training()) {
    norm.num_batches_tracked += 1;
    return norm_relu(x, addend,
                     {.weight = norm.weight,
                      .bias = norm.bias,
                      .running_mean = norm.running_mean,
                      .running_variance = norm.running_var,
                      .momentum = *norm.options.momentum(),
                      .epsilon = norm.options.eps()},
                     relu);
  }
  auto output = norm.forward(x);
  if (addend.defined()) output += addend;
  return relu ? output.relu_() : output;
}

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
