#include "models/arm_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <atomic>

#include "core/precision.h"
#include "models/head.h"
#include "ops/arm/arm.h"
#include "ops/de_albino/de_albino.h"

namespace fer {
namespace {

constexpr int64_t arranged_by = 256;  // upscale 16, squared

struct DeAlbinoImpl : torch::nn::Module {
  DeAlbinoImpl() : weight(register_parameter("weight", at::zeros({1, 1, 32, 32}))) {}
  at::Tensor forward(const at::Tensor& map) { return de_albino(map, weight.view({32, 32})); }
  at::Tensor weight;
};
TORCH_MODULE(DeAlbino);

struct ArmImpl : torch::nn::Module {
  explicit ArmImpl(const HeadSpec& spec)
      : de_albino(register_module("de_albino", DeAlbino())),
        bn(register_module("bn", torch::nn::BatchNorm2d(spec.channels / arranged_by))) {
    if (spec.affinity == Affinity::none) return;
    const auto side = de_albino_side(spec.side);
    alpha = register_parameter("alpha", at::ones({1}));
    generic = register_buffer("generic", at::zeros({side, side}));
  }

  /// The unique part U (N, s, s): feature arrangement, de-albino, norm, mean over the maps.
  at::Tensor unique(const at::Tensor& map) {
    const auto amended = de_albino(map).to(at::kFloat);
    AutocastScope exact(Precision::float32);
    return bn(amended).mean(1);
  }

  /// The generic part G (s, s). While training, the batch mean, which also moves the running one.
  at::Tensor generic_of(const at::Tensor& unique, Affinity affinity) {
    if (!is_training() && affinity == Affinity::ema) return generic;
    const auto mean = unique.mean(0);
    if (is_training()) track(mean);
    return mean;
  }

  void track(const at::Tensor& mean) {
    at::NoGradGuard no_grad;
    generic.lerp_(mean.detach(), momentum);
    calibrated = true;
  }

  DeAlbino de_albino;
  torch::nn::BatchNorm2d bn;
  at::Tensor alpha;
  at::Tensor generic;
  double momentum = 0.1;
  std::atomic<bool> calibrated = false;  // set by the thread that computes, asked by the one that saves
};
TORCH_MODULE(Arm);

class ArmHead : public Head {
 public:
  explicit ArmHead(const HeadSpec& spec)
      : arm(register_module("arm", Arm(spec))),
        fc(register_module("fc", torch::nn::Linear(arm_feature_count(spec.side, spec.channels), spec.classes))) {}

  at::Tensor features(const at::Tensor& map, Affinity affinity) override {
    const auto unique = arm->unique(map);
    if (affinity == Affinity::none) return unique.flatten(1);
    return share_affinity(unique, arm->alpha, arm->generic_of(unique, affinity)).flatten(1);
  }

  at::Tensor forward(const at::Tensor& map, Affinity affinity, const Noise& noise) override {
    const bool foldable = !is_training() && affinity == Affinity::ema;
    const auto read = foldable ? arm->unique(map).flatten(1) : features(map, affinity);
    AutocastScope exact(Precision::float32);
    return at::linear(is_training() ? drop_features(read, noise) : read, fc->weight,
                      foldable ? folded_bias() : fc->bias);
  }

  /// Feature arrangement, de-albino, norm, mean, affinity and classifier are each linear at inference. The weights of
  /// the whole are the classifier's, taken back through the transposes of the others.
  Reading reading(at::IntArrayRef map_size, Affinity affinity) const override {
    at::NoGradGuard no_grad;
    const auto classifier = fc->weight.to(at::kDouble);
    const auto side = de_albino_side(map_size[0]);
    const auto& norm = arm->bn;
    const auto scale = norm->weight.to(at::kDouble) / (norm->running_var.to(at::kDouble) + norm->options.eps()).sqrt();
    const auto shift = (norm->bias - norm->running_mean * scale).mean();
    auto shared = shift.expand({side * side});
    if (affinity == Affinity::ema) shared = shared + arm->alpha * arm->generic.flatten();
    const auto arranged =
        at::conv_transpose2d(classifier.view({-1, 1, side, side}), arm->de_albino->weight.to(at::kDouble), {}, 8);
    const auto maps = scale.numel();
    const auto tiles = at::pixel_unshuffle(arranged, 16).unsqueeze(1) * (scale / maps).view({1, maps, 1, 1, 1});
    return {tiles.flatten(1, 2).to(at::kFloat), (fc->bias + at::mv(classifier, shared.to(at::kDouble))).to(at::kFloat)};
  }

  /// The values of the kernel with which the outputs of de-albino read a place, without their signs: fewer outputs
  /// reach the border, where the padding of the convolutions has eroded the map.
  at::Tensor reach(at::IntArrayRef map_size) const override {
    at::NoGradGuard no_grad;
    const auto ones = at::ones({1, 1, de_albino_side(map_size[0]), de_albino_side(map_size[1])});
    const auto arranged = at::conv_transpose2d(ones, arm->de_albino->weight.abs(), {}, 8);
    const auto places = at::avg_pool2d(arranged, 16).squeeze(0).squeeze(0);
    return places / places.mean();
  }

  void set_momentum(double momentum) override { arm->momentum = momentum; }
  bool has_affinity() const override { return arm->alpha.defined(); }
  bool is_optional(const std::string& name) const override { return name == "arm.generic"; }
  void set_calibrated(bool calibrated) override { arm->calibrated = calibrated; }
  void calibrate(const at::Tensor& generic) override {
    at::NoGradGuard no_grad;
    arm->generic.copy_(generic.view_as(arm->generic));
    arm->calibrated = true;
  }
  bool calibrated() const override { return !has_affinity() || arm->calibrated; }

 private:
  /// With a fixed generic part, sharing affinity is a change of bias: b' = b + alpha W vec(G).
  at::Tensor folded_bias() { return fc->bias + arm->alpha * at::mv(fc->weight, arm->generic.flatten()); }

  Arm arm;
  torch::nn::Linear fc;
};

}  // namespace

int64_t arm_feature_count(int64_t side, int64_t) { return side < 2 ? 0 : de_albino_side(side) * de_albino_side(side); }

std::shared_ptr<Head> arm_head(const HeadSpec& spec) { return std::make_shared<ArmHead>(spec); }

}  // namespace fer
