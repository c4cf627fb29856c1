#include "optim/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "optim/update.h"

namespace fer {
namespace {

constexpr float epsilon = 1e-8F;

std::vector<at::Tensor> zeros_beside(const std::vector<Learned>& parameters) {
  std::vector<at::Tensor> result;
  for (const auto& parameter : parameters) result.push_back(at::zeros_like(parameter.tensor.detach()));
  return result;
}

at::Tensor take_gradient(const Learned& parameter) {
  auto gradient = in_layout_of(parameter.tensor, parameter.tensor.grad());
  parameter.tensor.mutable_grad().reset();
  return gradient;
}

/// The running average of all parameters (Polyak & Juditsky 1992, exponential). It follows the first steps closely, so
/// that nothing of the random beginning stays in it.
class Average {
 public:
  Average(const std::vector<Learned>& parameters, double decay) : decay_(decay) {
    if (decay == 0) return;
    for (const auto& parameter : parameters) tensors_.push_back(parameter.tensor.detach().clone());
  }

  const std::vector<at::Tensor>& tensors() const { return tensors_; }
  at::Tensor of(size_t parameter) const { return tensors_.empty() ? at::Tensor() : tensors_[parameter]; }
  float keep(int64_t step) const {
    const auto steps = static_cast<double>(step);
    return static_cast<float>(std::min(decay_, (1 + steps) / (10 + steps)));
  }
  void add_to(std::vector<OptimizerSlot>& slots) const {
    if (!tensors_.empty()) slots.push_back({"average", tensors_});
  }

 private:
  double decay_;
  std::vector<at::Tensor> tensors_;
};

class Adam : public Optimizer {
 public:
  Adam(std::vector<Learned> parameters, const OptimizerSettings& settings, bool decoupled)
      : parameters_(std::move(parameters)),
        settings_(settings),
        decoupled_(decoupled),
        first_(zeros_beside(parameters_)),
        second_(zeros_beside(parameters_)),
        average_(parameters_, settings.averaging) {
    for (size_t i = 0; i < parameters_.size(); ++i) steps_.push_back(at::zeros({}, at::kFloat));
  }

  void step(double learning_rate, int64_t number) override {
    at::NoGradGuard no_grad;
    for (auto& step : steps_) step += 1;
    std::vector<AdamParameter> parameters;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const auto& learned = parameters_[i];
      parameters.push_back(
          {learned.tensor, take_gradient(learned), first_[i], second_[i], average_.of(i), learned.rate});
    }
    update(parameters, {.learning_rate = static_cast<float>(learning_rate),
                        .weight_decay = static_cast<float>(settings_.weight_decay),
                        .beta1 = static_cast<float>(settings_.beta1),
                        .beta2 = static_cast<float>(settings_.beta2),
                        .epsilon = epsilon,
                        .decoupled = decoupled_,
                        .steps = steps_.front().item<int64_t>(),
                        .averaging = average_.keep(number)});
  }

  const std::vector<at::Tensor>& averages() const override { return average_.tensors(); }

  std::vector<OptimizerSlot> state() const override {
    std::vector<OptimizerSlot> slots{{"first", first_}, {"second", second_}, {"steps", steps_}};
    average_.add_to(slots);
    return slots;
  }

 private:
  std::vector<Learned> parameters_;
  OptimizerSettings settings_;
  bool decoupled_;
  std::vector<at::Tensor> first_, second_, steps_;
  Average average_;
};

class Sgd : public Optimizer {
 public:
  Sgd(std::vector<Learned> parameters, const OptimizerSettings& settings)
      : parameters_(std::move(parameters)), settings_(settings), average_(parameters_, settings.averaging) {
    // Momentum begins at zero, so that without dampening the first step needs no case of its own.
    if (settings_.momentum > 0) momentum_ = zeros_beside(parameters_);
  }

  void step(double learning_rate, int64_t number) override {
    at::NoGradGuard no_grad;
    std::vector<SgdParameter> parameters;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const auto& learned = parameters_[i];
      const auto velocity = momentum_.empty() ? at::Tensor() : momentum_[i];
      parameters.push_back({learned.tensor, take_gradient(learned), velocity, average_.of(i), learned.rate});
    }
    update(parameters, {.learning_rate = static_cast<float>(learning_rate),
                        .weight_decay = static_cast<float>(settings_.weight_decay),
                        .momentum = static_cast<float>(settings_.momentum),
                        .averaging = average_.keep(number)});
  }

  const std::vector<at::Tensor>& averages() const override { return average_.tensors(); }

  std::vector<OptimizerSlot> state() const override {
    std::vector<OptimizerSlot> slots;
    if (!momentum_.empty()) slots.push_back({"momentum", momentum_});
    average_.add_to(slots);
    return slots;
  }

 private:
  std::vector<Learned> parameters_;
  OptimizerSettings settings_;
  std::vector<at::Tensor> momentum_;
  Average average_;
};

OptimizerFactory adam(bool decoupled) {
  return [decoupled](std::vector<Learned> parameters, const OptimizerSettings& settings) {
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
                        [](std::vector<Learned> parameters, const OptimizerSettings& settings) {
                          return std::make_unique<Sgd>(std::move(parameters), settings);
                        }},
                   });
  return rows;
}

}  // namespace fer
