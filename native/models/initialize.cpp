#include "models/initialize.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/nn/module.h>

#include <cmath>

namespace fer {

void initialize(torch::nn::Module& module, uint64_t seed) {
  at::NoGradGuard no_grad;
  // A generator of our own: LibTorch's default one is shared by every thread of the process.
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto bounded = [&](at::Tensor& tensor, int64_t fan_in) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
    tensor.uniform_(-bound, bound, generator);
  };
  int64_t classifier_inputs = 0;
  for (auto& item : module.named_parameters()) {
    auto& tensor = item.value();
    if (item.key() == "arm.de_albino.weight") {
      bounded(tensor, tensor.size(2) * tensor.size(3));
    } else if (tensor.dim() == 4) {
      // In row-major order, whatever the layout of the weight.
      const auto deviation = std::sqrt(2.0 / static_cast<double>(tensor.size(0) * tensor.size(2) * tensor.size(3)));
      tensor.copy_(at::empty(tensor.sizes()).normal_(0.0, deviation, generator));
    } else if (item.key() == "fc.weight") {
      classifier_inputs = tensor.size(1);
      bounded(tensor, classifier_inputs);
    } else if (item.key() == "fc.bias") {
      bounded(tensor, classifier_inputs);
    }
  }
}

}  // namespace fer
