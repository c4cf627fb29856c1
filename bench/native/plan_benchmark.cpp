#include "inference/plan.h"

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <chrono>

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;

std::shared_ptr<Network> resnet18() {
  static const auto network = std::make_shared<Network>(
      NetworkSpec{.backbone = "resnet18",
                  .head = "arm",
                  .stem = "standard",
                  .classes = 7,
                  .affinity = Affinity::none,
                  .input = {.size = 224, .color = Color::rgb, .normalization = {{0.5F, 0.5F, 0.5F}, {1, 1, 1}}}},
      1);
  return network;
}

Plan plan_for(Precision precision) {
  const auto graph = resnet18()->graph();
  const std::vector<Range> ranges(graph.steps.size() + 1, {-1, 8});
  resnet18()->train(false);
  return {graph, resnet18()->spec().input, precision, precision == Precision::int8 ? ranges : std::vector<Range>{}};
}

/// Within the whole plan, so that caches are as they are in use: the time from one value to the next.
void step(benchmark::State& state, Precision precision, ValueId value) {
  at::NoGradGuard no_grad;
  const auto plan = plan_for(precision);
  const auto pixels = at::randint(0, 256, {state.range(0), 224, 224, 3}, at::kByte);
  for (auto _ : state) {
    auto before = Clock::now();
    double seconds = 0;
    plan.map(pixels, [&](ValueId made, const at::Tensor&) {
      const auto now = Clock::now();
      if (made == value) seconds = std::chrono::duration<double>(now - before).count();
      before = now;
    });
    state.SetIterationTime(seconds);
  }
}

std::string name_of_value(const Graph& graph, ValueId value) {
  if (value == 0) return "pixels";
  if (std::holds_alternative<MaxPool>(graph.steps[value - 1])) return "pool";
  const auto& layer = std::get<Convolution>(graph.steps[value - 1]);
  const auto side = std::to_string(layer.weight.size(2));
  return side + "x" + side + "_" + std::to_string(layer.weight.size(1)) + "to" + std::to_string(layer.weight.size(0));
}

const bool registered = [] {
  const auto graph = resnet18()->graph();
  for (const auto precision : {Precision::float32, Precision::bfloat16, Precision::int8}) {
    if (precision == Precision::int8 && !has_onednn(at::kByte)) continue;
    for (ValueId value = 0; value <= graph.steps.size(); ++value) {
      const auto name =
          std::string("step/") + name_of(precision) + "/" + std::to_string(value) + "_" + name_of_value(graph, value);
      benchmark::RegisterBenchmark(name.c_str(), step, precision, value)
          ->Arg(1)
          ->Iterations(50)
          ->UseManualTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace fer
