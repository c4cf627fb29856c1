#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

#include "core/error.h"

// One pass over the memory of all parameters, in pieces that the threads share. Everything is float32.
namespace fer {

struct AdamStep {
  float learning_rate, weight_decay, beta1, beta2, epsilon;
  bool decoupled;   // weight decay: of the weight itself (adamw) rather than part of the gradient (adam)
  int64_t steps;    // with this one
  float averaging;  // the average keeps so much of itself
};

/// Tensors of one parameter, all of its layout; `average` undefined where none is kept.
struct AdamParameter {
  at::Tensor weight, gradient, first, second, average;
  float rate;  // of the step's
};
void update(const std::vector<AdamParameter>& parameters, const AdamStep& step);

struct SgdStep {
  float learning_rate, weight_decay, momentum;  // Nesterov's, where it is not zero
  float averaging;
};
struct SgdParameter {
  at::Tensor weight, gradient, velocity, average;  // velocity undefined without momentum
  float rate;
};
void update(const std::vector<SgdParameter>& parameters, const SgdStep& step);

/// The update of each kind of device; that of CUDA, where it was built, is put in as the addon is loaded.
template <typename Parameter, typename Step>
struct Updates {
  using Function = void(const std::vector<Parameter>&, const Step&);
  Function* cpu;
  Function* cuda = nullptr;

  void operator()(const std::vector<Parameter>& parameters, const Step& step) const {
    const bool on_cpu = parameters.empty() || parameters.front().weight.is_cpu();
    if (!on_cpu && !cuda) throw Error("ERR_DEVICE", "The optimizer is not built for CUDA");
    (on_cpu ? cpu : cuda)(parameters, step);
  }
};
extern Updates<AdamParameter, AdamStep> adam_updates;
extern Updates<SgdParameter, SgdStep> sgd_updates;

/// The tensor itself where it lies in memory as `other` does, else a copy that does.
at::Tensor in_layout_of(const at::Tensor& other, const at::Tensor& tensor);

}  // namespace fer
