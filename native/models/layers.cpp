#include "models/layers.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/max_pool2d.h>

#include "ops/norm_relu/norm_relu.h"
#include "ops/norm_relu_pool/norm_relu_pool.h"

namespace fer {

namespace {

/// What a norm is in training; counts the batch, as LibTorch does.
Norm next_batch(torch::nn::BatchNorm2dImpl& norm) {
  norm.num_batches_tracked += 1;
  return {.weight = norm.weight,
          .bias = norm.bias,
          .running_mean = norm.running_mean,
          .running_variance = norm.running_var,
          .momentum = *norm.options.momentum(),
          .epsilon = norm.options.eps()};
}

}  // namespace

at::Tensor activate(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& addend, bool relu) {
  if (norm.is_training()) return norm_relu(x, addend, next_batch(norm), relu);
  auto output = norm.forward(x);
  if (addend.defined()) output += addend;
  return relu ? output.relu_() : output;
}

at::Tensor activate_and_pool(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x) {
  if (norm.is_training()) return norm_relu_pool(x, next_batch(norm));
  return at::max_pool2d(activate(norm, x), 3, 2, 1);
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
