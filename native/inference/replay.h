#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace fer {

/// Runs the same work again and again on inputs of a few shapes. On a GPU the work of a shape that comes again is
/// recorded as a CUDA graph, so that hundreds of kernels are queued by one call. For one thread at a time.
class Replay {
 public:
  using Work = std::function<at::Tensor(const at::Tensor&)>;

  virtual ~Replay() = default;
  /// What `work`, always the same and queueing on the current stream alone, makes of the input.
  virtual at::Tensor run(const at::Tensor& input, const Work& work) = 0;
};

/// Null where CUDA is not built.
inline std::unique_ptr<Replay> (*make_replay)() = nullptr;

}  // namespace fer
