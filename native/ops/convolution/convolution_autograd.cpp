#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/processor.h"
#include "core/reference.h"
#include "ops/convolution/convolution.h"
#include "ops/winograd/winograd.h"

namespace fer {
namespace {

class WinogradConvolution : public torch::autograd::Function<WinogradConvolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight) {
    context->save_for_backward({input, weight});
    return winograd::convolution(input, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto& gradient = gradients[0];
    return {context->needs_input_grad(0) ? winograd::input_gradient(gradient, saved[1]) : at::Tensor(),
            context->needs_input_grad(1) ? winograd::weight_gradient(saved[0], gradient) : at::Tensor()};
  }
};

bool in_bfloat16() {
  return at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
}

/// float32 stays as LibTorch computes it. A processor that multiplies tiles of bfloat16 does so many times faster than
/// it multiplies float32, which minimal filtering needs for its precision.
bool winograd_pays(const at::Tensor& weight, int64_t stride, int64_t padding) {
  return weight.is_cpu() && !ReferenceScope::active() && in_bfloat16() && winograd::applies(weight, stride, padding) &&
         !processor_has("amx_bf16");
}

}  // namespace

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, int64_t stride, int64_t padding) {
  if (winograd_pays(weight, stride, padding)) {
    return WinogradConvolution::apply(at::autocast::cached_cast(at::kBFloat16, input, at::kCPU), weight);
  }
  return at::conv2d(input, weight, {}, at::IntArrayRef{stride}, at::IntArrayRef{padding});
}

}  // namespace fer
