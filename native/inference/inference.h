#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "core/cancellation.h"
#include "data/image_set.h"
#include "inference/predictor.h"

namespace fer {

/// A rectangle of a picture, in pixels.
struct Box {
  int64_t left, top, width, height;
};

struct Input {
  at::Tensor pixels;  // (H, W, C) uint8
  std::optional<Box> box;
};

using Progress = std::function<void(int64_t done)>;

/// Pictures `indices` of a set, by their place among these; both must outlive it.
Predictor::Pixels pixels_of(const ImageSet& images, const std::vector<int64_t>& indices);

/// Answers pictures in their order, batch by batch -> (N, K) or (N, F) float32 on the CPU. Polls `cancellation` between
/// batches.
at::Tensor infer(Predictor& predictor, const std::vector<Input>& inputs, const InferenceOptions& options, Output output,
                 const Cancellation& cancellation);
/// The same over pictures `indices` of a set -> (indices, K); `progress` hears how many are done.
at::Tensor infer(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                 const InferenceOptions& options, const Cancellation& cancellation, const Progress& progress);

/// Sets the network's running generic part to the mean unique part of pictures `indices`. ERR_INVALID_OPTION where it
/// has none to share.
void calibrate(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
               const InferenceOptions& options, const Cancellation& cancellation, const Progress& progress);

}  // namespace fer
