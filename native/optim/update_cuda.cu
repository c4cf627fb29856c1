#include "core/launch_cuda.cuh"
#include "optim/update.h"
#include "optim/update_kernels.h"

namespace fer {
namespace {

/// Null for what is undefined.
float* values(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

template <typename Parameter, typename MakeRule>
void update_all(const std::vector<Parameter>& parameters, const MakeRule& rule_of) {
  using Kernel = UpdateAll<decltype(rule_of(parameters.front()))>;
  Kernel kernel;
  const auto send = [&] {
    if (kernel.count > 0) launch(kernel, kernel.launch());
    kernel.count = 0;
  };
  for (const auto& parameter : parameters) {
    if (parameter.weight.numel() > 0) kernel.add(rule_of(parameter), parameter.weight.numel());
    if (kernel.full()) send();
  }
  send();
}

void update_adam_cuda(const std::vector<AdamParameter>& parameters, const AdamStep& step) {
  update_all(parameters, [&](const AdamParameter& parameter) {
    return AdamRule{
        values(parameter.weight),  values(parameter.gradient),        values(parameter.first), values(parameter.second),
        values(parameter.average), AdamFactors(step, parameter.rate), step.averaging};
  });
}

void update_sgd_cuda(const std::vector<SgdParameter>& parameters, const SgdStep& step) {
  update_all(parameters, [&](const SgdParameter& parameter) {
    return SgdRule{values(parameter.weight), values(parameter.gradient), values(parameter.velocity),
                   values(parameter.average), at_rate(step, parameter.rate)};
  });
}

[[maybe_unused]] const bool built = (adam_updates.cuda = update_adam_cuda, sgd_updates.cuda = update_sgd_cuda, true);

}  // namespace
}  // namespace fer
