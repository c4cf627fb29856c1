#include <ATen/ops/conv2d.h>
#include <ATen/ops/relu.h>

#include "inference/convolution/convolution.h"

namespace fer {

at::Tensor laid_out(const at::Tensor& weight, at::ScalarType dtype, at::Device device) {
  return weight.to(device, dtype, /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::ChannelsLast);
}

CompiledStep plain_convolution(const Convolution& step, at::ScalarType dtype, at::Device device) {
  return [weight = laid_out(step.weight, dtype, device), bias = step.bias.to(device, dtype), stride = step.stride,
          padding = step.padding, relu = step.relu](const at::Tensor& input, const at::Tensor& addend) {
    auto output = at::conv2d(input, weight, bias, at::IntArrayRef{stride}, at::IntArrayRef{padding});
    if (addend.defined()) output += addend;
    return relu ? output.relu_() : output;
  };
}

}  // namespace fer
