#include <ATen/ops/max_pool2d.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/reference.h"
#include "ops/norm_relu_pool/norm_relu_pool.h"

namespace fer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class NormReluPool : public torch::autograd::Function<NormReluPool> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const Norm& norm) {
    const auto values = norm_relu_kernels::normalization(x, norm);
    const auto [output, places] = norm_relu_pool_kernels::forward(x, values);
    context->save_for_backward(
        {x, places, values.weight, values.scale, values.shift, values.mean, values.inverse_deviation});
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto result = norm_relu_pool_kernels::backward(
        gradients[0], saved[0], saved[1],
        {.weight = saved[2], .scale = saved[3], .shift = saved[4], .mean = saved[5], .inverse_deviation = saved[6]});
    return {result.x, result.weight, result.bias, at::Tensor()};
  }
};

}  // namespace

at::Tensor norm_relu_pool(const at::Tensor& x, const Norm& norm) {
  if (ReferenceScope::active() || !norm_relu_kernels::applies(x, {})) return norm_relu_pool_composite(x, norm);
  return NormReluPool::apply(x, norm.weight, norm.bias, norm);
}

at::Tensor norm_relu_pool_composite(const at::Tensor& x, const Norm& norm) {
  return at::max_pool2d(norm_relu_composite(x, {}, norm, /*relu=*/true), 3, 2, 1);
}

}  // namespace fer
