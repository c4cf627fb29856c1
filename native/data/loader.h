#pragma once
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "core/memory_pool.h"
#include "core/worker.h"

#include "data/augment.h"
#include "data/image_set.h"

namespace fer {

struct Batch {
  at::Tensor images;  // (B, 3, size, size), channels-last
  at::Tensor labels;  // (B) int64
};

struct LoaderOptions {
  int64_t batch_size;
  uint64_t seed;
  Augmentation augmentation;
  InputFormat format;
  at::ScalarType dtype;  // of the images: float32 or bfloat16
};

/// Training batches. Batch `step` is a pure function of the options and `step`; while one is used, the next is made on
/// a thread of its own. Each epoch visits the pictures in a new order and leaves out an incomplete last batch.
class Loader {
 public:
  /// `indices` are the pictures of `images` that take part: at least one, each within the set.
  Loader(ImageSet images, std::vector<int64_t> indices, LoaderOptions options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The one asked for, or the number of pictures where there are fewer.
  int64_t batch_size() const { return options_.batch_size; }
  int64_t batches_per_epoch() const;
  Batch next(int64_t step);
  /// Waits for the batch that is being made ahead.
  void settle();

 private:
  Batch make(int64_t step);
  at::Tensor picture(int64_t index) const;
  const std::vector<int64_t>& order(int64_t epoch);
  std::future<Batch> begin(int64_t step);

  ImageSet images_;
  std::vector<int64_t> indices_;
  LoaderOptions options_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>();
  int64_t shuffled_epoch_ = -1;
  std::vector<int64_t> shuffled_;  // the order of that epoch; both of the worker's
  std::future<Batch> prepared_;
  int64_t prepared_step_ = -1;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>();  // last: it uses the members above
};

}  // namespace fer
