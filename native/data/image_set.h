#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace fer {

/// Labelled faces of one size, in memory that is not ours: a mapped pack or a JavaScript buffer.
struct ImageSet {
  at::Tensor pixels;   // (N, H, W, C) uint8, C = 1 or 3
  at::Tensor labels;   // (N) int64
  at::Tensor targets;  // (N, K) float32, distributions over the classes; undefined where the labels say it all
};

/// Throws ERR_BAD_DATA where there is not one label a picture, or an index lies outside the set: what is read by
/// these must never lie outside the memory.
void check_indices(const ImageSet& images, const std::vector<int64_t>& indices);

/// Some pictures of a set, to train on.
struct Share {
  ImageSet images;
  std::vector<int64_t> indices;
  double weight;  // how often an epoch shows each
};

}  // namespace fer
