#include "inference/convolution/convolution.h"
#include "ops/winograd/winograd.h"

namespace fer {

CompiledStep winograd_convolution(const Convolution& step) {
  return [weight = winograd::transform_weight(step.weight), bias = step.bias, relu = step.relu](
             const at::Tensor& input, const at::Tensor& addend) {
    return winograd::convolution(input, weight, bias, addend, relu);
  };
}

}  // namespace fer
