#pragma once
#include "inference/inference.h"

namespace fer {

/// Where in a picture an answer comes from; h and w are the sides of the backbone's map, K the classes.
struct Explanation {
  at::Tensor logits;  // (K)
  /// (K, h, w), not negative: Grad-CAM (Selvaraju et al., arXiv 1610.02391) on the backbone's last stage.
  at::Tensor grad_cam;
  /// (K, h, w): what each place adds to the logit. With the bias they add up to it, since all that follows the map is
  /// linear at inference.
  at::Tensor evidence;
  at::Tensor bias;   // (K)
  at::Tensor reach;  // (h, w): how much de-albino counts each place, 1 in the mean; undefined without ARM
};

/// Affinity `ema` or `none`.
Explanation explain(Predictor& predictor, const Input& input, const InferenceOptions& options,
                    const Cancellation& cancellation);

}  // namespace fer
