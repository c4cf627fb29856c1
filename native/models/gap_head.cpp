#include "models/gap_head.h"

#include <torch/nn/modules/linear.h>

#include "core/precision.h"
#include "models/head.h"

namespace fer {
namespace {

class GapHead : public Head {
 public:
  explicit GapHead(const HeadSpec& spec) : fc(register_module("fc", torch::nn::Linear(spec.channels, spec.classes))) {}

  at::Tensor features(const at::Tensor& map, Affinity) override {
    return map.mean({2, 3}, /*keepdim=*/false, at::kFloat);
  }

  at::Tensor forward(const at::Tensor& map, Affinity affinity) override {
    AutocastScope exact(Precision::float32);
    return fc(features(map, affinity));
  }

 private:
  torch::nn::Linear fc;
};

}  // namespace

std::shared_ptr<Head> gap_head(const HeadSpec& spec) { return std::make_shared<GapHead>(spec); }

}  // namespace fer
