#pragma once
#include <torch/nn/module.h>

#include "models/graph.h"
#include "models/noise.h"

namespace fer {

/// A network from pictures (N, 3, H, W) to a feature map (N, channels, h, w), channels-last.
class Backbone : public torch::nn::Module {
 public:
  /// `noise` counts in training alone.
  virtual at::Tensor forward(at::Tensor images, const Noise& noise) = 0;
  virtual int64_t channels() const = 0;
  /// The same at inference, as steps with the norms folded in.
  virtual Graph graph() const = 0;
};

}  // namespace fer
