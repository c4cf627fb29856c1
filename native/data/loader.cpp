#include "data/loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "core/threads.h"
#include "ops/resize/resize.h"

namespace fer {

Loader::Loader(ImageSet images, std::vector<int64_t> indices, LoaderOptions options)
    : images_(std::move(images)), indices_(std::move(indices)), options_(options) {
  check_indices(images_, indices_);
  if (indices_.empty()) throw Error("ERR_DATASET_EMPTY", "There is no picture to train on. Add labelled pictures");
  options_.batch_size = std::min<int64_t>(options_.batch_size, static_cast<int64_t>(indices_.size()));
}

int64_t Loader::batches_per_epoch() const { return static_cast<int64_t>(indices_.size()) / options_.batch_size; }

Batch Loader::next(int64_t step) {
  if (prepared_step_ != step) {
    settle();
    prepared_ = begin(step);
  }
  Batch batch = prepared_.get();
  prepared_step_ = step + 1;
  prepared_ = begin(step + 1);
  return batch;
}

void Loader::settle() {
  if (prepared_.valid()) prepared_.wait();
}

std::future<Batch> Loader::begin(int64_t step) {
  auto task = std::make_shared<std::packaged_task<Batch()>>([this, step] {
    compute_alone();
    const MemoryPool::Scope memory(memory_);
    return make(step);
  });
  worker_->post([task] { (*task)(); });
  return task->get_future();
}

Batch Loader::make(int64_t step) {
  const int64_t epoch = step / batches_per_epoch(), first = step % batches_per_epoch() * options_.batch_size;
  const auto& order_of_epoch = order(epoch);
  const auto size = options_.format.size;
  auto output = at::empty({options_.batch_size, size, size, 3}, options_.dtype);
  auto labels = at::empty({options_.batch_size}, at::kLong);
  const auto* all_labels = images_.labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < options_.batch_size; ++i) {
    const int64_t index = order_of_epoch[static_cast<size_t>(first + i)];
    const Position position{options_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(first + i)};
    const auto pixels = picture(index);
    const auto draw = [&](auto* to) {
      augment(pixels.const_data_ptr<uint8_t>(), pixels.size(1), pixels.size(2), pixels.size(3), options_.augmentation,
              options_.format, position, to + i * size * size * 3);
    };
    if (options_.dtype == at::kBFloat16) {
      draw(output.mutable_data_ptr<at::BFloat16>());
    } else {
      draw(output.mutable_data_ptr<float>());
    }
    labels.mutable_data_ptr<int64_t>()[i] = all_labels[index];
  }
  return {output.permute({0, 3, 1, 2}), labels};
}

/// (1, H, W, C), in the model's colours. Augmentation reads four neighbours of a point, which would alias where it
/// shrinks much: larger pictures are first made smaller with the antialiased filter, keeping a margin for shifts.
at::Tensor Loader::picture(int64_t index) const {
  constexpr double largest_kept = 1.25, margin = 1.125;
  auto pixels = images_.pixels.narrow(0, index, 1);
  if (pixels.size(3) == 3) pixels = to_color(pixels, options_.format.color);
  const auto size = static_cast<double>(options_.format.size);
  const auto fitted = [&](int64_t side) {
    return static_cast<double>(side) > largest_kept * size ? static_cast<int64_t>(std::ceil(margin * size)) : side;
  };
  return resize(pixels, fitted(pixels.size(1)), fitted(pixels.size(2)));
}

/// Fisher and Yates' shuffle of the indices.
const std::vector<int64_t>& Loader::order(int64_t epoch) {
  if (epoch != shuffled_epoch_) {
    shuffled_ = indices_;
    Draw random(options_.seed, static_cast<uint64_t>(epoch), 0, Purpose::shuffle);
    for (size_t i = shuffled_.size(); i > 1; --i) std::swap(shuffled_[i - 1], shuffled_[random.below(i)]);
    shuffled_epoch_ = epoch;
  }
  return shuffled_;
}

}  // namespace fer
