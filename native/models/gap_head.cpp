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

  at::Tensor forward(const at::Tensor& map, Affinity affinity, const Noise& noise) override {
    const auto read = features(map, affinity);
    AutocastScope exact(Precision::float32);
    return fc(is_training() ? drop_features(read, noise) : read);
  }

  Reading reading(at::IntArrayRef map_size, Affinity) const override {
    const auto area = static_cast<double>(map_size[0] * map_size[1]);
    const auto& weight = fc->weight.detach();
    const auto each = (weight / area).unsqueeze(-1).unsqueeze(-1);
    return {each.expand({weight.size(0), weight.size(1), map_size[0], map_size[1]}), fc->bias.detach()};
  }

 private:
  torch::nn::Linear fc;
};

}  // namespace

std::shared_ptr<Head> gap_head(const HeadSpec& spec) { return std::make_shared<GapHead>(spec); }

}  // namespace fer
