#include "data/loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "core/random.h"

namespace fer {

Loader::Loader(ImageSet images, std::vector<int64_t> indices, LoaderOptions options)
    : images_(std::move(images)), indices_(std::move(indices)), options_(options) {
  images_.pixels = images_.pixels.size(3) == 1 ? images_.pixels : to_color(images_.pixels, options_.format.color);
  options_.batch_size = std::min<int64_t>(options_.batch_size, static_cast<int64_t>(indices_.size()));
}

int64_t Loader::batches_per_epoch() const { return static_cast<int64_t>(indices_.size()) / options_.batch_size; }

Batch Loader::next(int64_t step) {
  Batch batch = prepared_step_ == step ? prepared_.get() : make(step);
  prepared_step_ = step + 1;
  prepared_ = std::async(std::launch::async, [this, step] { return make(step + 1); });
  return batch;
}

Batch Loader::make(int64_t step) const {
  const int64_t epoch = step / batches_per_epoch(), first = step % batches_per_epoch() * options_.batch_size;
  const auto order_of_epoch = order(epoch);
  const auto height = images_.pixels.size(1), width = images_.pixels.size(2), channels = images_.pixels.size(3);
  const auto size = options_.format.size;
  auto output = at::empty({options_.batch_size, size, size, 3}, at::kFloat);
  auto labels = at::empty({options_.batch_size}, at::kLong);
  const auto* pixels = images_.pixels.const_data_ptr<uint8_t>();
  const auto* all_labels = images_.labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < options_.batch_size; ++i) {
    const int64_t index = order_of_epoch[static_cast<size_t>(first + i)];
    const Position position{options_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(first + i)};
    augment(pixels + index * height * width * channels, height, width, channels, options_.augmentation, options_.format,
            position, output.mutable_data_ptr<float>() + i * size * size * 3);
    labels.mutable_data_ptr<int64_t>()[i] = all_labels[index];
  }
  return {output.permute({0, 3, 1, 2}), labels};
}

/// Fisher and Yates' shuffle of the indices.
std::vector<int64_t> Loader::order(int64_t epoch) const {
  auto shuffled = indices_;
  Draw random(options_.seed, static_cast<uint64_t>(epoch), 0, Purpose::shuffle);
  for (size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[random.below(i)]);
  return shuffled;
}

}  // namespace fer
