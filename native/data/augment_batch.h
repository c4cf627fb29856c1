#pragma once
#include "data/augment_kernels.h"

namespace fer {

/// Pictures of any sizes, one after the other in memory, with what is to happen to them.
class PictureBatch {
 public:
  /// (1, H, W, C) uint8 on the CPU.
  void add(const at::Tensor& picture, const Augmentation& settings, const InputFormat& format, Position position);

  /// Both uint8, in memory that a GPU can read while other things go on where `pinned`.
  at::Tensor pixels(bool pinned) const;
  at::Tensor placed(bool pinned) const;
  int64_t size() const { return static_cast<int64_t>(placed_.size()); }

 private:
  std::vector<at::Tensor> pictures_;
  std::vector<Placed> placed_;
  int64_t bytes_ = 0;
};

/// -> (N, size, size, 3) of `dtype` on the current stream of a GPU; null where CUDA is not built.
using AugmentOnGpu = at::Tensor(const PictureBatch&, const InputFormat&, at::ScalarType dtype, at::Device);
inline AugmentOnGpu* augment_on_gpu = nullptr;

}  // namespace fer
