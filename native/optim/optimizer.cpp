#include "optim/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace fer {
namespace {

constexpr double epsilon = 1e-8;

std::vector<at::Tensor> zeros_beside(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> result;
  for (const auto& parameter : parameters) result.push_back(at::zeros_like(parameter.detach()));
  return result;
}

std::vector<at::Tensor> take_gradients(std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> gradients;
  for (auto& parameter : parameters) {
    gradients.push_back(parameter.grad());
    parameter.mutable_grad().reset();
  }
  return gradients;
}

using FusedAdam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                           at::TensorList, double, double, double, double, double, bool, bool,
                           const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);
constexpr FusedAdam fused_adam = at::_fused_adam_;
constexpr FusedAdam fused_adamw = at::_fused_adamw_;

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
    const auto gradients = take_gradients(parameters_);
    // The two differ only in where weight decay enters.
    const auto update = decoupled_ ? fused_adamw : fused_adam;
    update(parameters_, gradients, first_, second_, {}, steps_, learning_rate, settings_.beta1, settings_.beta2,
           settings_.weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false, {}, {});
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
    if (settings_.momentum > 0) momentum_ = zeros_beside(parameters_);
  }

  void step(double learning_rate) override {
    at::NoGradGuard no_grad;
    const bool nesterov = settings_.momentum > 0;
    const auto gradients = take_gradients(parameters_);
    // Momentum begins at zero, so that without dampening the first step needs no case of its own.
    at::_fused_sgd_(parameters_, gradients, momentum_, settings_.weight_decay, settings_.momentum, learning_rate,
                    /*dampening=*/0.0, nesterov, /*maximize=*/false, /*is_first_step=*/false);
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
