#include <ATen/ops/cudnn_convolution_add_relu.h>
#include <ATen/ops/cudnn_convolution_relu.h>

#include "inference/convolution/convolution.h"

namespace fer {
namespace {

const std::array<int64_t, 2> dilation{1, 1};

}  // namespace

CompiledStep cudnn_convolution(const Convolution& step, at::ScalarType dtype, at::Device device) {
  // A convolution without activation ends a shortcut alone: three small layers of a network. For float32 with all its
  // bits cuDNN may have no fused engine.
  if (!step.relu || dtype == at::kFloat) return plain_convolution(step, dtype, device);
  return [weight = laid_out(step.weight, dtype, device), bias = step.bias.to(device, dtype),
          stride = std::array{step.stride, step.stride},
          padding = std::array{step.padding, step.padding}](const at::Tensor& input, const at::Tensor& addend) {
    return addend.defined()
               ? at::cudnn_convolution_add_relu(input, weight, addend, 1.0, bias, stride, padding, dilation, 1)
               : at::cudnn_convolution_relu(input, weight, bias, stride, padding, dilation, 1);
  };
}

}  // namespace fer
