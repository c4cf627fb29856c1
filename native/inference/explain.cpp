#include "inference/explain.h"

#include <ATen/TensorOperators.h>

namespace fer {

Explanation explain(Predictor& predictor, const Input& input, const InferenceOptions& options,
                    const Cancellation& cancellation) {
  const auto map = infer(predictor, {input}, options, Output::map, cancellation)[0].to(at::kFloat);
  auto& network = *predictor.network();
  const auto [weight, bias] = network.reading(options.affinity);  // (K, C, h, w), (K)
  const auto evidence = (weight * map).sum(1);
  // The gradient of a logit with respect to the map is the weight itself.
  const auto importance = weight.mean({2, 3}, /*keepdim=*/true);
  return {.logits = evidence.sum({1, 2}) + bias,
          .grad_cam = (importance * map).sum(1).relu(),
          .evidence = evidence,
          .bias = bias,
          .reach = network.reach()};
}

}  // namespace fer
