#include "optim/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "optim/update.h"

namespace fer {
namespace {

constexpr float epsilon = 1e-8F;

std::vector<at::Tensor> zeros_beside(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> result;
  for (const auto& parameter : parameters) result.push_back(at::zeros_like(parameter.detach()));
  return result;
}

at::Tensor take_gradient(at::Tensor& parameter) {
  auto gradient = in_layout_of(parameter, parameter.grad());
  parameter.mutable_grad().reset();
  return gradient;
}

class Adam : public Optimizer {
 public:
  Adam(std::vector<at::Tensor> parameters, const OptimizerSettings& settings, bool decoupled)
      : parameters_(std::move(parameters)),
        settings_(settings),
        decoupled_(decoupled),
        first_(zeros_beside(parameters_)),
        second_(zeros_beside(parameters_)) {
    for (size_t i = 0; i < parameters_.size(); ++i) steps_.push_back(at::zeros({}, at::kFloat));
  }

  void step(double learning_rate) override {
    at::NoGradGuard no_grad;
    for (auto& step : steps_) step += 1;
    std::vector<AdamParameter> parameters;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      parameters.push_back({parameters_[i], take_gradient(parameters_[i]), first_[i], second_[i]});
    }
    update(parameters, {.learning_rate = static_cast<float>(learning_rate),
                        .weight_decay = static_cast<float>(settings_.weight_decay),
                        .beta1 = static_cast<float>(settings_.beta1),
                        .beta2 = static_cast<float>(settings_.beta2),
                        .epsilon = epsilon,
                        .decoupled = decoupled_,
                        .steps = steps_.front().item<int64_t>()});
  }

  std::vector<OptimizerSlot> state() const override {
    return {{"first", first_}, {"second", second_}, {"steps", steps_}};
  }

 private:
  std::vector<at::Tensor> parameters_;
  OptimizerSettings settings_;
  bool decoupled_;
  std::vector<at::Tensor> first_, second_, steps_;
};

class Sgd : public Optimizer {
 public:
  Sgd(std::vector<at::Tensor> parameters, const OptimizerSettings& settings)
      : parameters_(std::move(parameters)), settings_(settings) {
    // Momentum begins at zero, so that without dampening the first step needs no case of its own.
    if (settings_.momentum > 0) momentum_ = zeros_beside(parameters_);
  }

  void step(double learning_rate) override {
    at::NoGradGuard no_grad;
    std::vector<SgdParameter> parameters;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      parameters.push_back(
          {parameters_[i], take_gradient(parameters_[i]), momentum_.empty() ? at::Tensor() : momentum_[i]});
    }
    update(parameters, {.learning_rate = static_cast<float>(learning_rate),
                        .weight_decay = static_cast<float>(settings_.weight_decay),
                        .momentum = static_cast<float>(settings_.momentum)});
  }

  std::vector<OptimizerSlot> state() const override {
    if (momentum_.empty()) return {};
    return {{"momentum", momentum_}};
  }

 private:
  std::vector<at::Tensor> parameters_;
  OptimizerSettings settings_;
  std::vector<at::Tensor> momentum_;
};

OptimizerFactory adam(bool decoupled) {
  return [decoupled](std::vector<at::Tensor> parameters, const OptimizerSettings& settings) {
    return std::make_unique<Adam>(std::move(parameters), settings, decoupled);
  };
}

}  // namespace

const Catalog<OptimizerFactory>& optimizers() {
  static const Catalog<OptimizerFactory> rows(
      "optimizer", {
                       {"adam", adam(false)},
                       {"adamw", adam(true)},
                       {"sgd",
                        [](std::vector<at::Tensor> parameters, const OptimizerSettings& settings) {
                          return std::make_unique<Sgd>(std::move(parameters), settings);
                        }},
                   });
  return rows;
}

}  // namespace fer
