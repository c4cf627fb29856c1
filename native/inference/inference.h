#pragma once
#include <optional>
#include <vector>

#include "core/cancellation.h"
#include "core/precision.h"
#include "data/image_set.h"
#include "models/network.h"

namespace fer {

struct InferenceOptions {
  Affinity affinity;
  Precision precision;
  int64_t batch_size;  // also the group whose mean affinity `batch` takes
};

/// A rectangle of a picture, in pixels.
struct Box {
  int64_t left, top, width, height;
};

struct Input {
  at::Tensor pixels;  // (H, W, C) uint8
  std::optional<Box> box;
};

enum class Output { logits, features };

/// Puts the network in evaluation mode and runs it over the pictures in their order, batch by batch -> (N, K) or (N, F)
/// float32 on the CPU. Polls `cancellation` between batches.
at::Tensor infer(Network& network, const std::vector<Input>& inputs, const InferenceOptions& options, Output output,
                 const Cancellation& cancellation);
/// The same over pictures `indices` of a set -> (indices, K); `progress` hears how many are done.
at::Tensor infer(Network& network, const ImageSet& images, const std::vector<int64_t>& indices,
                 const InferenceOptions& options, const Cancellation& cancellation,
                 const std::function<void(int64_t)>& progress);

/// Sets the network's running generic part to the mean unique part of pictures `indices`, in evaluation mode.
/// ERR_INVALID_OPTION where it has none to share.
void calibrate(Network& network, const ImageSet& images, const std::vector<int64_t>& indices,
               const InferenceOptions& options, const Cancellation& cancellation,
               const std::function<void(int64_t)>& progress);

}  // namespace fer
