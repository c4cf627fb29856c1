#include "ops/resize/resize.h"

#include <ATen/ops/_upsample_bilinear2d_aa.h>

namespace fer {
namespace {

at::Tensor resize_planes(const at::Tensor& planes, int64_t height, int64_t width) {
  return at::_upsample_bilinear2d_aa(planes, {height, width}, /*align_corners=*/false);
}

/// LibTorch resizes uint8 on the CPU alone, in fixed point: what is rounded once here may differ by a level.
at::Tensor resize_levels(const at::Tensor& planes, int64_t height, int64_t width) {
  return resize_planes(planes.to(at::kFloat), height, width).round_().clamp_(0, 255).to(at::kByte);
}

}  // namespace

at::Tensor resize(const at::Tensor& pixels, int64_t height, int64_t width) {
  if (pixels.size(1) == height && pixels.size(2) == width) return pixels;
  // Seen as (N, C, H, W) in channels-last memory, which the operator reads and writes without a copy.
  const auto planes = pixels.permute({0, 3, 1, 2});
  const bool levels = pixels.is_cuda() && pixels.scalar_type() == at::kByte;
  const auto sized = levels ? resize_levels(planes, height, width) : resize_planes(planes, height, width);
  return sized.permute({0, 2, 3, 1}).contiguous();
}

}  // namespace fer
