#include "data/loader.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/one_hot.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/augment_batch.h"
#include "ops/resize/resize.h"

namespace fer {

namespace {

/// The pictures of all shares, counted through, with their labels.
std::vector<Candidate> candidates_of(const std::vector<Share>& shares) {
  std::vector<Candidate> all;
  for (const auto& share : shares) {
    check_indices(share.images, share.indices);
    const auto* labels = share.images.labels.const_data_ptr<int64_t>();
    for (const int64_t index : share.indices) {
      all.push_back({.index = static_cast<int64_t>(all.size()), .label = labels[index], .weight = share.weight});
    }
  }
  return all;
}

}  // namespace

Loader::Loader(std::vector<Share> shares, LoaderOptions options)
    : shares_(std::move(shares)),
      options_(std::move(options)),
      sampler_(samplers().at(options_.sampler)(candidates_of(shares_),
                                               {.seed = options_.seed, .class_limit = options_.class_limit})) {
  if (sampler_->size() == 0) throw Error("ERR_DATASET_EMPTY", "There is no picture to train on. Add labelled pictures");
  options_.batch_size = std::min(options_.batch_size, sampler_->size());
  for (size_t share = 0; share < shares_.size(); ++share) {
    for (const int64_t index : shares_[share].indices) places_.push_back({share, index});
  }
}

int64_t Loader::batches_per_epoch() const { return sampler_->size() / options_.batch_size; }

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
  if (options_.device.is_cpu()) return mixed(step, draw_batch(step));
  // On a stream of its own, so that it goes on while the batch before is learned from.
  if (!stream_) {
    stream_ = c10::impl::VirtualGuardImpl(options_.device.type()).getStreamFromGlobalPool(options_.device);
  }
  const c10::StreamGuard guard(*stream_);
  const auto batch = mixed(step, draw_batch_on_gpu(step));
  stream_->synchronize();
  return batch;
}

Batch Loader::mixed(int64_t step, Batch batch) const {
  mix(batch, options_.mixing, Draw(options_.seed, static_cast<uint64_t>(step), 0, Purpose::mix));
  return batch;
}

/// Calls with each picture of a batch, (1, H, W, C), its number in the batch and its position in the run.
template <typename Function>
void Loader::for_pictures(int64_t step, at::Tensor& targets, const Function& function) {
  const int64_t epoch = step / batches_per_epoch(), first = step % batches_per_epoch() * options_.batch_size;
  const auto& order_of_epoch = order(epoch);
  for (int64_t i = 0; i < options_.batch_size; ++i) {
    const auto [share, index] = places_[static_cast<size_t>(order_of_epoch[static_cast<size_t>(first + i)])];
    const auto& images = shares_[share].images;
    const Position position{options_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(first + i)};
    function(coarsened(picture(images.pixels.narrow(0, index, 1)), options_.augmentation, position), i, position);
    targets[i].copy_(target(images, index));
  }
}

Batch Loader::draw_batch(int64_t step) {
  const auto size = options_.format.size;
  auto output = at::empty({options_.batch_size, size, size, 3}, options_.dtype);
  auto targets = at::empty({options_.batch_size, options_.classes});
  for_pictures(step, targets, [&](const at::Tensor& pixels, int64_t i, Position position) {
    const auto draw = [&](auto* to) {
      augment(pixels.const_data_ptr<uint8_t>(), pixels.size(1), pixels.size(2), pixels.size(3), options_.augmentation,
              options_.format, position, to + i * size * size * 3);
    };
    if (options_.dtype == at::kBFloat16) {
      draw(output.mutable_data_ptr<at::BFloat16>());
    } else {
      draw(output.mutable_data_ptr<float>());
    }
  });
  return {output.permute({0, 3, 1, 2}), targets};
}

Batch Loader::draw_batch_on_gpu(int64_t step) {
  PictureBatch pictures;
  auto targets = at::empty({options_.batch_size, options_.classes});
  for_pictures(step, targets, [&](const at::Tensor& pixels, int64_t, Position position) {
    pictures.add(pixels, options_.augmentation, options_.format, position);
  });
  const auto images = augment_on_gpu(pictures, options_.format, options_.dtype, options_.device);
  return {images.permute({0, 3, 1, 2}), targets.to(options_.device)};
}

/// A picture (1, H, W, C), in the model's colours. Augmentation reads four neighbours of a point, which would alias
/// where it shrinks much: larger pictures are first made smaller with the antialiased filter, keeping a margin for
/// shifts.
at::Tensor Loader::picture(const at::Tensor& pixels) const {
  constexpr double largest_kept = 1.25, margin = 1.125;
  const auto colored = pixels.size(3) == 3 ? to_color(pixels, options_.format.color) : pixels;
  const auto size = static_cast<double>(options_.format.size);
  const auto fitted = [&](int64_t side) {
    return static_cast<double>(side) > largest_kept * size ? static_cast<int64_t>(std::ceil(margin * size)) : side;
  };
  return resize(colored, fitted(colored.size(1)), fitted(colored.size(2)));
}

/// (K), the picture's own, or all of it on its label.
at::Tensor Loader::target(const ImageSet& images, int64_t index) const {
  if (images.targets.defined()) return images.targets[index];
  return at::one_hot(images.labels[index], options_.classes).to(at::kFloat);
}

const std::vector<int64_t>& Loader::order(int64_t epoch) {
  if (epoch != ordered_epoch_) {
    order_ = sampler_->order(static_cast<uint64_t>(epoch));
    ordered_epoch_ = epoch;
  }
  return order_;
}

}  // namespace fer
