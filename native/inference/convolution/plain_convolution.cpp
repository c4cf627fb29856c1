#include <ATen/ops/conv2d.h>
#include <ATen/ops/relu.h>

#include "inference/convolution/convolution.h"

namespace fer {

CompiledStep plain_convolution(const Convolution& step, at::ScalarType dtype) {
  return [weight = step.weight.to(dtype, false, false, at::MemoryFormat::ChannelsLast), bias = step.bias.to(dtype),
          stride = step.stride, padding = step.padding,
          relu = step.relu](const at::Tensor& input, const at::Tensor& addend) {
    auto output = at::conv2d(input, weight, bias, at::IntArrayRef{stride}, at::IntArrayRef{padding});
    if (addend.defined()) output += addend;
    return relu ? output.relu_() : output;
  };
}

}  // namespace fer
