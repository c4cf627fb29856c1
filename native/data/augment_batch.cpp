#include "data/augment_batch.h"

#include <ATen/ops/empty.h>

#include <cstring>

namespace fer {
namespace {

at::Tensor bytes(int64_t count, bool pinned) {
  return at::empty({count}, at::TensorOptions().dtype(at::kByte).pinned_memory(pinned));
}

}  // namespace

void PictureBatch::add(const at::Tensor& picture, const Augmentation& settings, const InputFormat& format,
                       Position position) {
  const auto height = picture.size(1), width = picture.size(2);
  const auto drawn = draw_augmentation(settings, format.size, height, width, position);
  placed_.push_back({.begin = bytes_,
                     .height = static_cast<int>(height),
                     .width = static_cast<int>(width),
                     .channels = static_cast<int>(picture.size(3)),
                     .drawn = drawn,
                     .tone = tone_of(drawn.light, 0, format.normalization)});
  pictures_.push_back(picture.contiguous());
  bytes_ += picture.numel();
}

at::Tensor PictureBatch::pixels(bool pinned) const {
  auto all = bytes(bytes_, pinned);
  auto* to = all.mutable_data_ptr<uint8_t>();
  for (size_t i = 0; i < pictures_.size(); ++i) {
    std::memcpy(to + placed_[i].begin, pictures_[i].const_data_ptr<uint8_t>(), pictures_[i].nbytes());
  }
  return all;
}

at::Tensor PictureBatch::placed(bool pinned) const {
  auto all = bytes(static_cast<int64_t>(placed_.size() * sizeof(Placed)), pinned);
  std::memcpy(all.mutable_data_ptr<uint8_t>(), placed_.data(), all.nbytes());
  return all;
}

}  // namespace fer
