#pragma once
#include <c10/core/Stream.h>

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/memory_pool.h"
#include "core/worker.h"

#include "data/augment.h"
#include "data/batch.h"
#include "data/image_set.h"
#include "data/mix.h"
#include "data/sampler.h"

namespace fer {

struct LoaderOptions {
  int64_t batch_size;
  int64_t classes;
  uint64_t seed;
  std::string sampler;
  int64_t class_limit;  // of sampler mrr
  Augmentation augmentation;
  Mixing mixing;
  InputFormat format;
  at::ScalarType dtype;  // of the images: float32 or bfloat16
  at::Device device;     // that makes them, and that batches lie on
};

/// Training batches. Batch `step` is a pure function of the options and `step`; while one is used, the next is made on
/// a thread of its own. Each epoch shows the pictures that the sampler chooses and leaves out an incomplete last batch.
class Loader {
 public:
  /// At least one picture, each index within its set. ERR_DATASET_EMPTY, ERR_BAD_DATA.
  Loader(std::vector<Share> shares, LoaderOptions options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The one asked for, or the number of pictures an epoch where there are fewer.
  int64_t batch_size() const { return options_.batch_size; }
  int64_t batches_per_epoch() const;
  Batch next(int64_t step);
  /// Waits for the batch that is being made ahead.
  void settle();

 private:
  Batch make(int64_t step);
  Batch mixed(int64_t step, Batch batch) const;
  Batch draw_batch(int64_t step);
  Batch draw_batch_on_gpu(int64_t step);
  template <typename Function>
  void for_pictures(int64_t step, at::Tensor& targets, const Function& function);
  at::Tensor picture(const at::Tensor& pixels) const;
  at::Tensor target(const ImageSet& images, int64_t index) const;
  const std::vector<int64_t>& order(int64_t epoch);
  std::future<Batch> begin(int64_t step);

  struct Place {
    size_t share;
    int64_t index;  // within its set
  };

  std::vector<Share> shares_;
  std::vector<Place> places_;  // of the pictures, as the sampler counts them
  LoaderOptions options_;
  std::unique_ptr<Sampler> sampler_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>();
  int64_t ordered_epoch_ = -1;
  std::vector<int64_t> order_;         // of that epoch
  std::optional<c10::Stream> stream_;  // of a GPU; all three of the worker's
  std::future<Batch> prepared_;
  int64_t prepared_step_ = -1;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>();  // last: it uses the members above
};

}  // namespace fer
