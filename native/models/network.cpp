#include "models/network.h"

#include <torch/nn/modules/batchnorm.h>

#include <string_view>

#include "models/backbone.h"
#include "models/head.h"
#include "models/initialize.h"

namespace fer {
namespace {

constexpr int64_t largest_image_size = 1024;

int64_t feature_count(const NetworkSpec& spec, const Stem& stem, int64_t channels, int64_t image_size) {
  return heads().at(spec.head).feature_count(stem.feature_side(image_size), channels);
}

void check_image_size(const NetworkSpec& spec, const Stem& stem, int64_t channels) {
  const int64_t needed = 2 * spec.classes;
  if (feature_count(spec, stem, channels, spec.input.size) >= needed) return;
  int64_t size = spec.input.size;
  while (size < largest_image_size && feature_count(spec, stem, channels, size) < needed) ++size;
  throw Error("ERR_IMAGE_SIZE",
              "Expected `imageSize` to be at least " + std::to_string(size) + " with stem `" + spec.stem + "` and " +
                  std::to_string(spec.classes) + " classes, got `" + std::to_string(spec.input.size) +
                  "`: the head would get fewer than two features a class. Use that size, or a smaller stem");
}

}  // namespace

Network::Network(NetworkSpec spec) : spec_(std::move(spec)) {
  const auto& stem = stems().at(spec_.stem);
  backbone_ = backbones().at(spec_.backbone)(stem);
  check_image_size(spec_, stem, backbone_->channels());
  head_ = heads()
              .at(spec_.head)
              .make({.channels = backbone_->channels(),
                     .side = stem.feature_side(spec_.input.size),
                     .classes = spec_.classes,
                     .affinity = spec_.affinity});
}

Network::Network(NetworkSpec spec, uint64_t seed) : Network(std::move(spec)) {
  initialize(*backbone_, seed);
  initialize(*head_, seed + 1);
}

at::Tensor Network::map(const at::Tensor& images, const Noise& noise) {
  return backbone_->forward(images.contiguous(at::MemoryFormat::ChannelsLast), noise);
}

at::Tensor Network::logits(const at::Tensor& images, Affinity affinity, const Noise& noise) {
  return head_->forward(map(images, noise), affinity, noise);
}

at::Tensor Network::features(const at::Tensor& images, Affinity affinity) {
  return head_->features(map(images, {}), affinity);
}

at::Tensor Network::read(const at::Tensor& map, Affinity affinity, Output output) {
  if (output == Output::map) return map;
  return output == Output::logits ? head_->forward(map, affinity, {}) : head_->features(map, affinity);
}

at::Tensor Network::reach() const {
  const auto side = stems().at(spec_.stem).feature_side(spec_.input.size);
  return head_->reach({side, side});
}

std::shared_ptr<Network> Network::copy_on(at::Device device) const {
  auto copy = std::make_shared<Network>(spec_);
  copy->load(sources_of(state()));
  copy->backbone_->to(device);
  copy->head_->to(device);
  if (device.is_cuda()) {
    for (auto& parameter : copy->backbone_->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  return copy;
}

at::Device Network::device() const { return backbone_->parameters().front().device(); }

Graph Network::graph() const { return backbone_->graph(); }

int64_t Network::reading_size() const {
  const auto side = stems().at(spec_.stem).feature_side(spec_.input.size);
  return spec_.classes * backbone_->channels() * side * side;
}

Reading Network::reading(Affinity affinity) const {
  constexpr int64_t largest = int64_t{1} << 28;  // 1 GB, and some times that to make it
  if (reading_size() > largest) {
    throw Error("ERR_OUTPUT", "The matrix from the map to the logits would have " + std::to_string(reading_size()) +
                                  " values, too many for a file. Use a smaller image size or fewer classes");
  }
  const auto side = stems().at(spec_.stem).feature_side(spec_.input.size);
  const auto [weight, bias] = head_->reading({side, side}, affinity);
  return {weight.contiguous(), bias};
}

void Network::check_affinity(Affinity affinity) const {
  if (affinity == Affinity::none) return;
  if (!head_->has_affinity()) {
    throw Error("ERR_INVALID_OPTION", "Expected `affinity` to be none: this model has no generic part to share");
  }
  if (affinity == Affinity::ema && !head_->calibrated()) {
    throw Error(
        "ERR_UNCALIBRATED",
        "This model has no running generic part, which affinity `ema` needs. Compute it over training pictures "
        "with `calibrate`, or leave the generic part out with affinity `none` (on the command line `--affinity none`)");
  }
}

bool Network::calibrated() const { return head_->calibrated(); }

void Network::train(bool on) {
  if (on) ++version_;
  backbone_->train(on);
  head_->train(on);
  for (const auto& child : backbone_->named_children()) {
    if (depth_of(child.key()) < frozen_) child.value()->eval();
  }
}

void Network::freeze(int64_t parts) {
  frozen_ = parts;
  for (auto& item : backbone_->named_parameters()) item.value().set_requires_grad(depth_of(item.key()) >= parts);
}

int64_t Network::depth_of(const std::string& name) {
  constexpr std::string_view stage = "layer";
  if (name.starts_with(stage)) return name[stage.size()] - '0';
  return name.starts_with("conv1") || name.starts_with("bn1") ? 0 : 5;
}

void Network::set_momentum(double momentum) {
  for (torch::nn::Module* part :
       {static_cast<torch::nn::Module*>(backbone_.get()), static_cast<torch::nn::Module*>(head_.get())}) {
    for (const auto& module : part->modules()) {
      if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(momentum);
    }
  }
  head_->set_momentum(momentum);
}

std::vector<at::Tensor> Network::parameters() const {
  std::vector<at::Tensor> all;
  for (auto& [name, parameter] : named_parameters()) all.push_back(parameter);
  return all;
}

std::vector<NamedTensor> Network::named_parameters() const {
  std::vector<NamedTensor> all;
  for (const auto& item : backbone_->named_parameters()) all.push_back({item.key(), item.value()});
  for (const auto& item : head_->named_parameters()) all.push_back({item.key(), item.value()});
  return all;
}

std::vector<NamedTensor> Network::every_tensor() const {
  auto all = state_of(*backbone_);
  for (auto& entry : state_of(*head_)) all.push_back(std::move(entry));
  return all;
}

std::vector<NamedTensor> Network::state() const {
  auto kept = every_tensor();
  if (!calibrated()) std::erase_if(kept, [this](const NamedTensor& entry) { return head_->is_optional(entry.name); });
  return kept;
}

void Network::load(const std::vector<TensorSource>& tensors) {
  ++version_;
  const bool complete =
      load_state(every_tensor(), tensors, [this](const std::string& name) { return head_->is_optional(name); });
  head_->set_calibrated(complete);
}

void Network::adopt(const std::vector<TensorSource>& tensors) {
  ++version_;
  load_state(every_tensor(), tensors, [](const std::string&) { return true; });
}

void Network::calibrate(const at::Tensor& generic) {
  ++version_;
  head_->calibrate(generic);
}

}  // namespace fer
