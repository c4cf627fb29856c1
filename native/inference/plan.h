#pragma once
#include <functional>
#include <vector>

#include "core/precision.h"
#include "inference/convolution/convolution.h"
#include "inference/replay.h"
#include "models/network.h"

namespace fer {

/// What a value of a graph lies between, over many pictures.
struct Range {
  float low, high;
};

/// A backbone compiled for one precision: norms folded, weights laid out in advance, each convolution computed with its
/// addition and activation. Stale once the network's weights change. For one thread at a time.
class Plan {
 public:
  /// `ranges`: for int8, one a value of the graph, the picture's first. ERR_BAD_MODEL where there are not as many, or a
  /// folded weight is not finite; ERR_INVALID_OPTION where this processor does not compute the precision.
  Plan(const Graph& graph, const InputFormat& format, Precision precision, const std::vector<Range>& ranges,
       at::Device device = at::kCPU);

  /// Of the graph, the picture's included.
  size_t value_count() const { return encodings_.size(); }

  /// How many pictures are computed at once, for the highest rate.
  int64_t pictures_at_once() const { return pictures_at_once_; }

  /// Hears each value of the graph as it is made.
  using Observer = std::function<void(ValueId, const at::Tensor&)>;

  /// pixels (N, H, W, C) uint8 of any size -> map (N, C, h, w) float32, channels-last, on the plan's device.
  at::Tensor map(const at::Tensor& pixels, const Observer& observe = nullptr) const;

 private:
  struct Step {
    ValueId input;
    std::optional<ValueId> addend;
    CompiledStep run;
    std::vector<ValueId> released;  // values that no later step reads
  };

  Step compile(const GraphStep& step, InputShape shape, ValueId output, Precision precision) const;
  void mark_last_uses();
  at::Tensor compute(const at::Tensor& pixels, const Observer& observe) const;
  at::Tensor decode(const at::Tensor& map) const;

  InputFormat format_;
  at::Device device_;
  std::unique_ptr<Replay> replay_;   // on a GPU
  std::vector<Encoding> encodings_;  // of each value
  std::vector<Step> steps_;
  int64_t pictures_at_once_;
};

}  // namespace fer
