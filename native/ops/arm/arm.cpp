#include "ops/arm/arm.h"

#include <ATen/ops/batch_norm.h>

#include "ops/de_albino/de_albino.h"

namespace fer {

at::Tensor arm(const at::Tensor& features, const ArmWeights& weights) {
  constexpr double momentum = 0.1, epsilon = 1e-5;
  const auto amended = de_albino(features, weights.kernel);
  const auto unique =
      at::batch_norm(amended, weights.norm_weight, weights.norm_bias, weights.norm_mean, weights.norm_variance,
                     /*training=*/false, momentum, epsilon, /*cudnn_enabled=*/false)
          .mean(1);
  return weights.generic.defined() ? share_affinity(unique, weights.alpha, weights.generic) : unique;
}

at::Tensor share_affinity(const at::Tensor& unique, const at::Tensor& alpha, const at::Tensor& generic) {
  return unique.add(alpha.mul(generic));
}

}  // namespace fer
