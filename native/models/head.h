#pragma once
#include <torch/nn/module.h>

#include "models/catalog.h"
#include "models/graph.h"
#include "models/noise.h"

namespace fer {

/// From the backbone's map (N, C, h, w) to logits. All arithmetic after pooling or de-albino is float32.
class Head : public torch::nn::Module {
 public:
  /// (N, F) float32, what the classifier reads.
  virtual at::Tensor features(const at::Tensor& map, Affinity affinity) = 0;
  /// (N, K) float32; `noise` counts in training alone.
  virtual at::Tensor forward(const at::Tensor& map, Affinity affinity, const Noise& noise) = 0;
  /// The same at inference, affinity `ema` or `none`, for maps of this size: every head is linear in the map then.
  virtual Reading reading(at::IntArrayRef map_size, Affinity affinity) const = 0;
  /// (h, w) float32: how much each place of such a map counts before the classifier gives its weights; 1 in the mean.
  /// Undefined where all count alike.
  virtual at::Tensor reach(at::IntArrayRef map_size) const { return {}; }
  /// Whether there is a generic part to share.
  virtual bool has_affinity() const { return false; }
  /// Whether the running generic part is known, or none is needed.
  virtual bool calibrated() const { return true; }
  virtual void set_calibrated(bool calibrated) {}
  /// Sets the running generic part, flattened. Only where there is one to share.
  virtual void calibrate(const at::Tensor& generic) {}
  /// How much the running generic part takes over of a batch.
  virtual void set_momentum(double momentum) {}
  /// Whether a model file may lack this buffer.
  virtual bool is_optional(const std::string& name) const { return false; }
};

}  // namespace fer
