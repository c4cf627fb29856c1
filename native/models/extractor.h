#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/precision.h"
#include "models/catalog.h"
#include "models/state.h"

namespace fer {

/// A backbone alone, with given weights, for inference.
class Extractor {
 public:
  /// `weights`: under torchvision's names; ERR_BAD_MODEL names the first that does not fit.
  Extractor(const std::string& backbone, const std::string& stem, const std::vector<NamedTensor>& weights);

  /// images: (N, 3, H, W) float32, normalised -> (N, C, h, w), channels-last.
  at::Tensor forward(const at::Tensor& images, Precision precision) const;

 private:
  std::shared_ptr<Backbone> backbone_;
};

}  // namespace fer
