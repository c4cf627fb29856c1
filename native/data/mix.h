#pragma once
#include "core/random.h"
#include "data/batch.h"

namespace fer {

/// Of pictures with one another. Zero switches an item off; where both are on, each batch draws one of them.
struct Mixing {
  double mixup;   // alpha, at most 1
  double cutmix;  // alpha, at most 1
};

/// Mixes each picture and its target with those of another of the batch, in one proportion a batch, drawn from
/// Beta(alpha, alpha): mixup (Zhang et al., arXiv 1710.09412) blends the two, CutMix (Yun et al., arXiv 1905.04899)
/// replaces a rectangle, whose share of the picture is the proportion.
void mix(Batch& batch, const Mixing& mixing, Draw random);

/// Beta(alpha, alpha), 0 < alpha <= 1, by Jöhnk's rejection.
double draw_beta(double alpha, Draw& random);

}  // namespace fer
