#include "ops/winograd/winograd.h"

#include <ATen/ops/convolution_backward.h>
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "inference/convolution/convolution.h"
#include "ops/winograd/winograd_product.h"

namespace fer {
namespace {

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }

/// Multiplications and additions of the plain definition, whichever way it is computed.
void count_operations(benchmark::State& state) {
  const auto images = state.range(0), channels = state.range(1), side = state.range(2);
  state.counters["GFLOP/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * images * 18 * channels * channels * side * side) / 1e9,
      benchmark::Counter::kIsRate);
}

using Compile = CompiledStep (*)(const Convolution&, InputShape);

CompiledStep by_onednn(const Convolution& step, InputShape shape) {
  return onednn_convolution(step, shape, at::kFloat);
}
CompiledStep by_winograd(const Convolution& step, InputShape) { return winograd_convolution(step); }

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
  const auto input = channels_last(at::randn({images, channels, side, side}));
  for (auto _ : state) benchmark::DoNotOptimize(run(input, {}));
  count_operations(state);
}

/// The three convolutions of a layer in training, bfloat16: of its input, and the gradients of that and of its weight.
struct Layer {
  at::Tensor input, gradient, weight;
};
using Pass = at::Tensor (*)(const Layer&);

at::Tensor forward(const Layer& layer) { return winograd::convolution(layer.input, layer.weight); }
at::Tensor to_input(const Layer& layer) { return winograd::input_gradient(layer.gradient, layer.weight); }
at::Tensor to_weight(const Layer& layer) { return winograd::weight_gradient(layer.input, layer.gradient); }

at::Tensor forward_by_onednn(const Layer& layer) {
  return at::conv2d(layer.input, layer.weight.to(at::kBFloat16), {}, 1, 1);
}
template <bool input>
at::Tensor backward_by_onednn(const Layer& layer) {
  auto gradients = at::convolution_backward(layer.gradient, layer.input, layer.weight.to(at::kBFloat16), std::nullopt,
                                            {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1, {input, !input, false});
  return input ? std::get<0>(gradients) : std::get<1>(gradients).to(at::kFloat);
}

void training(benchmark::State& state, Pass pass) {
  at::NoGradGuard no_grad;
  const auto images = state.range(0), channels = state.range(1), side = state.range(2);
  const auto map = [&] { return channels_last(at::randn({images, channels, side, side}).to(at::kBFloat16)); };
  const Layer layer{map(), map(), channels_last(at::randn({channels, channels, 3, 3}))};
  for (auto _ : state) benchmark::DoNotOptimize(pass(layer));
  count_operations(state);
}

/// The product alone, of 36 planes as a core has them for 64 channels: tiles by channels, channels by channels.
void product(benchmark::State& state) {
  constexpr int64_t planes = 36, channels = 64;
  const int64_t tiles = state.range(0);
  const auto a = at::rand({planes, tiles, channels}), b = at::rand({planes, channels, channels});
  auto c = at::empty({planes, tiles, channels});
  for (auto _ : state) {
    for (int64_t plane = 0; plane < planes; ++plane) {
      winograd::multiply({.a = a.const_data_ptr<float>() + plane * tiles * channels,
                          .a_row = channels,
                          .a_depth = 1,
                          .b = b.const_data_ptr<float>() + plane * channels * channels,
                          .b_depth = channels,
                          .c = c.mutable_data_ptr<float>() + plane * tiles * channels,
                          .c_row = channels,
                          .rows = tiles,
                          .columns = channels,
                          .depth = channels,
                          .accumulates = false});
    }
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * planes * 2 * tiles * channels * channels) / 1e9,
                         benchmark::Counter::kIsRate);
}
BENCHMARK(product)->Arg(36)->Unit(benchmark::kMicrosecond)->Threads(1)->Threads(2)->UseRealTime();

/// The residual layers of ResNet-18 at 224 x 224: channels and side.
void sizes(benchmark::internal::Benchmark* benchmark, std::vector<int64_t> batches) {
  for (const int64_t images : batches) {
    for (const auto& [channels, side] : {std::pair{64, 56}, {128, 28}, {256, 14}, {512, 7}}) {
      benchmark->Args({images, channels, side});
    }
  }
  benchmark->Unit(benchmark::kMicrosecond)->UseRealTime();
}
void faces(benchmark::internal::Benchmark* benchmark) { sizes(benchmark, {1, 8}); }
void batches(benchmark::internal::Benchmark* benchmark) { sizes(benchmark, {32}); }

BENCHMARK_CAPTURE(layer, onednn, by_onednn)->Apply(faces);
BENCHMARK_CAPTURE(layer, winograd, by_winograd)->Apply(faces);
BENCHMARK_CAPTURE(training, forward_onednn, forward_by_onednn)->Apply(batches);
BENCHMARK_CAPTURE(training, forward_winograd, forward)->Apply(batches);
BENCHMARK_CAPTURE(training, to_input_onednn, backward_by_onednn<true>)->Apply(batches);
BENCHMARK_CAPTURE(training, to_input_winograd, to_input)->Apply(batches);
BENCHMARK_CAPTURE(training, to_weight_onednn, backward_by_onednn<false>)->Apply(batches);
BENCHMARK_CAPTURE(training, to_weight_winograd, to_weight)->Apply(batches);

}  // namespace
}  // namespace fer
