#include "ops/winograd/winograd.h"

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "inference/convolution/convolution.h"

namespace fer {
namespace {

using Compile = CompiledStep (*)(const Convolution&, InputShape);

CompiledStep by_onednn(const Convolution& step, InputShape shape) {
  return onednn_convolution(step, shape, at::kFloat);
}
CompiledStep by_winograd(const Convolution& step, InputShape) { return winograd_convolution(step); }

/// The residual layers of ResNet-18 at 224 x 224: channels and side.
void layer(benchmark::State& state, Compile compile) {
  at::NoGradGuard no_grad;
  const auto images = state.range(0), channels = state.range(1), side = state.range(2);
  const Convolution step{.input = 0,
                         .weight = at::randn({channels, channels, 3, 3}),
                         .bias = at::randn({channels}),
                         .stride = 1,
                         .padding = 1,
                         .addend = std::nullopt,
                         .relu = true};
  const auto run = compile(step, {images, side});
  const auto input = at::randn({images, channels, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
  for (auto _ : state) benchmark::DoNotOptimize(run(input, {}));
  // Multiplications and additions of the plain definition, whichever way it is computed.
  state.counters["GFLOP/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * images * 18 * channels * channels * side * side) / 1e9,
      benchmark::Counter::kIsRate);
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int64_t images : {1, 8}) {
    for (const auto& [channels, side] : {std::pair{64, 56}, {128, 28}, {256, 14}, {512, 7}}) {
      benchmark->Args({images, channels, side});
    }
  }
  benchmark->Unit(benchmark::kMicrosecond)->UseRealTime();
}

BENCHMARK_CAPTURE(layer, onednn, by_onednn)->Apply(sizes);
BENCHMARK_CAPTURE(layer, winograd, by_winograd)->Apply(sizes);

}  // namespace
}  // namespace fer
