#include "optim/update.h"

#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_fused_adamw.h>
#include <benchmark/benchmark.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>

#include "models/network.h"

namespace fer {
namespace {

constexpr Normalization imagenet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
constexpr double learning_rate = 1e-3, weight_decay = 0.05, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
constexpr double averaging = 0.999;

/// What an optimizer keeps of the parameters of ResNet-18 + ARM, 11 million of them.
struct Memory {
  std::vector<at::Tensor> weights, gradients, first, second, averages, steps;
};

Memory memory_of_network() {
  const Network network({.backbone = "resnet18",
                         .head = "arm",
                         .stem = "standard",
                         .classes = 7,
                         .affinity = Affinity::ema,
                         .input = {224, Color::rgb, imagenet}},
                        1);
  Memory memory;
  for (const auto& parameter : network.parameters()) {
    memory.weights.push_back(parameter.detach().clone());
    memory.gradients.push_back(at::randn_like(parameter));
    memory.first.push_back(at::zeros_like(parameter));
    memory.second.push_back(at::zeros_like(parameter));
    memory.averages.push_back(parameter.detach().clone());
    memory.steps.push_back(at::zeros({}, at::kFloat));
  }
  return memory;
}

void count_weights(benchmark::State& state, const Memory& memory) {
  int64_t count = 0;
  for (const auto& weight : memory.weights) count += weight.numel();
  state.SetItemsProcessed(state.iterations() * count);
}

/// adamw and the running average of the weights, in one pass.
void adamw_one_pass(benchmark::State& state) {
  const auto memory = memory_of_network();
  std::vector<AdamParameter> parameters;
  for (size_t i = 0; i < memory.weights.size(); ++i) {
    parameters.push_back({.weight = memory.weights[i],
                          .gradient = memory.gradients[i],
                          .first = memory.first[i],
                          .second = memory.second[i],
                          .average = memory.averages[i],
                          .rate = 1});
  }
  int64_t steps = 0;
  for (auto _ : state) {
    update(parameters, {.learning_rate = learning_rate,
                        .weight_decay = weight_decay,
                        .beta1 = beta1,
                        .beta2 = beta2,
                        .epsilon = epsilon,
                        .decoupled = true,
                        .steps = ++steps,
                        .averaging = averaging});
  }
  count_weights(state, memory);
}

/// LibTorch's fused update of each tensor, and its interpolation for the average.
void adamw_fused_and_lerp(benchmark::State& state) {
  const auto memory = memory_of_network();
  for (auto _ : state) {
    at::_foreach_add_(memory.steps, 1);
    at::_fused_adamw_(memory.weights, memory.gradients, memory.first, memory.second, {}, memory.steps, learning_rate,
                      beta1, beta2, weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
    at::_foreach_lerp_(memory.averages, memory.weights, 1 - averaging);
  }
  count_weights(state, memory);
}

/// LibTorch's optimizer as C++ programs use it, tensor by tensor and operator by operator.
void adamw_composite(benchmark::State& state) {
  auto memory = memory_of_network();
  for (size_t i = 0; i < memory.weights.size(); ++i) {
    memory.weights[i].requires_grad_().mutable_grad() = memory.gradients[i];
  }
  torch::optim::AdamW optimizer(memory.weights, torch::optim::AdamWOptions(learning_rate).weight_decay(weight_decay));
  at::NoGradGuard no_grad;
  for (auto _ : state) {
    optimizer.step();
    at::_foreach_lerp_(memory.averages, memory.weights, 1 - averaging);
  }
  count_weights(state, memory);
}

BENCHMARK(adamw_one_pass)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(adamw_fused_and_lerp)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(adamw_composite)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace fer
