#include <ATen/record_function.h>
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <chrono>
#include <map>
#include <numeric>

#include "training/trainer.h"

namespace fer {
namespace {

constexpr Normalization imagenet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

ImageSet noise(int64_t count, int64_t size) {
  return {
      .pixels = at::randint(0, 256, {count, size, size, 3}, at::kByte), .labels = at::arange(count) % 7, .targets = {}};
}

TrainingOptions options_of(int64_t batch, int64_t size, Precision precision) {
  return {.epochs = 1000,
          .optimizer = "adam",
          .optimizer_settings = {.weight_decay = 1e-4, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0},
          .schedule = "constant",
          .learning_rate = 1e-3,
          .decay = 1,
          .warmup_epochs = 0,
          .loss = {},
          .clip_norm = 0,
          .sharpness = 0,
          .dropout = 0,
          .stochastic_depth = 0,
          .freeze = 0,
          .layer_decay = 1,
          .accumulate = 1,
          .precision = precision,
          .device = at::kCPU,
          .loader = {.batch_size = batch,
                     .classes = 7,
                     .seed = 1,
                     .sampler = "shuffle",
                     .class_limit = 0,
                     .augmentation = {},
                     .mixing = {},
                     .format = {size, Color::rgb, imagenet},
                     .dtype = precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat,
                     .device = at::kCPU}};
}

/// Milliseconds of each operator of LibTorch's and ours, without those it calls.
class Stopwatch {
 public:
  Stopwatch() {
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(start, stop).needsIds(false));
    running() = this;
  }
  ~Stopwatch() { at::removeCallback(handle_); }
  const std::map<std::string, double>& times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Open {
    Clock::time_point since;
    double inner = 0;
  };
  static Stopwatch*& running() {
    static Stopwatch* watch = nullptr;
    return watch;
  }
  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction&) {
    running()->open_.push_back({Clock::now()});
    return nullptr;
  }
  static void stop(const at::RecordFunction& function, at::ObserverContext*) {
    auto& watch = *running();
    const Open done = watch.open_.back();
    watch.open_.pop_back();
    const double span = std::chrono::duration<double, std::milli>(Clock::now() - done.since).count();
    watch.times_[function.name()] += span - done.inner;
    if (!watch.open_.empty()) watch.open_.back().inner += span;
  }

  at::CallbackHandle handle_;
  std::vector<Open> open_;
  std::map<std::string, double> times_;
};

/// Whole steps of ResNet-18 + ARM, the loader beside them.
void training_step(benchmark::State& state, const char* stem, Precision precision) {
  const auto size = state.range(0), batch = state.range(1);
  const NetworkSpec spec{.backbone = "resnet18",
                         .head = "arm",
                         .stem = stem,
                         .classes = 7,
                         .affinity = Affinity::ema,
                         .input = {size, Color::rgb, imagenet}};
  std::vector<int64_t> indices(static_cast<size_t>(4 * batch));
  std::iota(indices.begin(), indices.end(), 0);
  Trainer trainer(std::make_shared<Network>(spec, 1), {{noise(4 * batch, size), indices, 1}},
                  options_of(batch, size, precision));
  constexpr int64_t steps = 4;  // at the end of a run all weights are checked once, which is no part of a step
  const auto run = [&] {
    trainer.run_until(trainer.steps_done() + steps, Trainer::Clock::time_point::max(), Cancellation(),
                      [](const Step&) {});
  };
  run();
  const Stopwatch watch;
  for (auto _ : state) run();
  for (const auto& [name, time] : watch.times()) {
    if (time > 0.5) state.counters[name] = time / static_cast<double>(state.iterations() * steps);
  }
  state.SetItemsProcessed(state.iterations() * steps * batch);
}

#define FER_MEASURE(name, stem, precision, size, batch)   \
  BENCHMARK_CAPTURE(training_step, name, stem, precision) \
      ->Args({size, batch})                               \
      ->Unit(benchmark::kMillisecond)                     \
      ->UseRealTime()

FER_MEASURE(bfloat16, "standard", Precision::bfloat16, 224, 32);
FER_MEASURE(bfloat16_medium, "medium", Precision::bfloat16, 64, 128);
FER_MEASURE(bfloat16, "standard", Precision::bfloat16, 112, 64);
FER_MEASURE(float32, "standard", Precision::float32, 224, 32);

}  // namespace
}  // namespace fer
