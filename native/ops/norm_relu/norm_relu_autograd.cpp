#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/reference.h"
#include "ops/norm_relu/norm_relu.h"

namespace fer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class NormRelu : public torch::autograd::Function<NormRelu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const std::optional<at::Tensor>& addend,
                            const at::Tensor& weight, const at::Tensor& bias, const Norm& norm, bool relu) {
    const auto values = norm_relu_kernels::normalization(x, norm);
    const auto output = norm_relu_kernels::forward(x, addend.value_or(at::Tensor()), values, relu);
    // Without an addend the output need not be kept: where the ReLU let through can be told from x.
    const bool needs_output = relu && addend;
    context->save_for_backward({x, needs_output ? output : at::Tensor(), values.weight, values.scale, values.shift,
                                values.mean, values.inverse_deviation});
    context->saved_data["adds"] = addend.has_value();
    context->saved_data["relu"] = relu;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto result = norm_relu_kernels::backward(gradients[0], {.x = saved[0],
                                                                   .output = saved[1],
                                                                   .values = {.weight = saved[2],
                                                                              .scale = saved[3],
                                                                              .shift = saved[4],
                                                                              .mean = saved[5],
                                                                              .inverse_deviation = saved[6]},
                                                                   .adds = context->saved_data["adds"].toBool(),
                                                                   .relu = context->saved_data["relu"].toBool()});
    return {result.x, result.addend, result.weight, result.bias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor norm_relu(const at::Tensor& x, const at::Tensor& addend, const Norm& norm, bool relu) {
  if (ReferenceScope::active() || !norm_relu_kernels::applies(x, addend)) {
    return norm_relu_composite(x, addend, norm, relu);
  }
  const auto added = addend.defined() ? std::optional(addend) : std::nullopt;
  return NormRelu::apply(x, added, norm.weight, norm.bias, norm, relu);
}

at::Tensor norm_relu_composite(const at::Tensor& x, const at::Tensor& addend, const Norm& norm, bool relu) {
  auto output = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_variance, /*training=*/true,
                               norm.momentum, norm.epsilon, /*cudnn_enabled=*/false);
  if (addend.defined()) output += addend;
  return relu ? output.relu_() : output;
}

}  // namespace fer
