#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/catalog.h"

namespace fer {

/// One tensor a parameter, in the parameters' order.
struct OptimizerSlot {
  std::string name;
  std::vector<at::Tensor> tensors;
};

/// Updates parameters in place from their gradients, in one pass over the memory of all.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Every parameter must have a gradient; gradients are dropped afterwards. `number`: of the step, from 1.
  virtual void step(double learning_rate, int64_t number) = 0;
  /// The running average of each parameter; empty where none is kept.
  virtual const std::vector<at::Tensor>& averages() const = 0;
  /// What it remembers from step to step; the tensors are its own memory.
  virtual std::vector<OptimizerSlot> state() const = 0;
};

/// A parameter, and its learning rate as a fraction of the step's.
struct Learned {
  at::Tensor tensor;
  float rate;
};

struct OptimizerSettings {
  double weight_decay;
  double momentum;  // of sgd
  double beta1;     // of adam and adamw
  double beta2;
  double averaging;  // the average keeps so much of itself a step, less at first; 0: no average is kept
};

using OptimizerFactory = std::function<std::unique_ptr<Optimizer>(std::vector<Learned>, const OptimizerSettings&)>;
/// adam (Kingma & Ba, arXiv 1412.6980; decay added to the gradient), adamw (Loshchilov & Hutter, arXiv 1711.05101;
/// decay apart from it), sgd with Nesterov momentum (as LibTorch defines it).
const Catalog<OptimizerFactory>& optimizers();

}  // namespace fer
