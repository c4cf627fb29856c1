#include "data/mix.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

/// The pictures come in random order: backwards, each meets another at random.
at::Tensor partners(const at::Tensor& tensor) { return tensor.flip(0); }

void mix_targets(Batch& batch, double own) {
  batch.targets = own * batch.targets + (1 - own) * partners(batch.targets);
}

void mixup(Batch& batch, double own) {
  const auto others = partners(batch.images);
  batch.images.mul_(own).add_(others, 1 - own);
  mix_targets(batch, own);
}

/// A rectangle in the picture's own proportions, wherever its centre falls: what lies outside is cut off.
void cutmix(Batch& batch, double own, Draw& random) {
  const int64_t size = batch.images.size(2);
  const double half = std::sqrt(1 - own) * static_cast<double>(size) / 2;
  const auto side = [&] {
    const double centre = random.fraction() * static_cast<double>(size);
    const auto within = [size](double at) { return std::clamp<int64_t>(std::llround(at), 0, size); };
    return std::pair(within(centre - half), within(centre + half));
  };
  const auto [top, bottom] = side();
  const auto [left, right] = side();
  const auto cut = [&](const at::Tensor& images) {
    return images.narrow(2, top, bottom - top).narrow(3, left, right - left);
  };
  const auto others = partners(cut(batch.images));
  cut(batch.images).copy_(others);
  mix_targets(batch, 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(size * size));
}

}  // namespace

double draw_beta(double alpha, Draw& random) {
  for (;;) {
    const double x = std::pow(random.fraction(), 1 / alpha), y = std::pow(random.fraction(), 1 / alpha);
    // Both vanish where alpha is very small: then another try.
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

void mix(Batch& batch, const Mixing& mixing, Draw random) {
  const bool both = mixing.mixup > 0 && mixing.cutmix > 0, cut = both ? random.chance(0.5F) : mixing.cutmix > 0;
  const double alpha = cut ? mixing.cutmix : mixing.mixup;
  if (alpha == 0) return;
  const double own = draw_beta(alpha, random);
  if (cut) {
    cutmix(batch, own, random);
  } else {
    mixup(batch, own);
  }
}

}  // namespace fer
