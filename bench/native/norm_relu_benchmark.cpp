#include "ops/norm_relu/norm_relu.h"

#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "ops/norm_relu_pool/norm_relu_pool.h"

namespace fer {
namespace {

at::Tensor map_of(int64_t images, int64_t channels, int64_t side) {
  return at::randn({images, channels, side, side}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
}

Norm norm_of(int64_t channels) {
  return {.weight = at::ones({channels}).requires_grad_(),
          .bias = at::zeros({channels}).requires_grad_(),
          .running_mean = at::zeros({channels}),
          .running_variance = at::ones({channels}),
          .momentum = 0.1,
          .epsilon = 1e-5};
}

/// Forward and backward, as a step of training does.
template <typename Op>
void measure(benchmark::State& state, const at::Tensor& x, const Norm& norm, const Op& op) {
  const auto gradient = at::ones_like(op(x, norm)).contiguous(at::MemoryFormat::ChannelsLast);
  for (auto _ : state) {
    benchmark::DoNotOptimize(torch::autograd::grad({op(x, norm)}, {x, norm.weight, norm.bias}, {gradient}));
  }
  state.SetItemsProcessed(state.iterations() * x.size(0));
}

/// The end of a residual block of ResNet-18 at 224 x 224: channels and side.
void residual(benchmark::State& state, decltype(norm_relu)* op) {
  const auto x = map_of(32, state.range(0), state.range(1)).requires_grad_();
  const auto addend = map_of(32, state.range(0), state.range(1));
  measure(state, x, norm_of(state.range(0)),
          [&](const at::Tensor& map, const Norm& norm) { return op(map, addend, norm, /*relu=*/true); });
}

void stem(benchmark::State& state, decltype(norm_relu_pool)* op) {
  measure(state, map_of(32, 64, 112).requires_grad_(), norm_of(64), op);
}

#define FER_MEASURE(name, op) \
  BENCHMARK_CAPTURE(residual, name, op)->Args({64, 56})->Args({512, 7})->Unit(benchmark::kMicrosecond)->UseRealTime()

FER_MEASURE(norm_relu, norm_relu);
FER_MEASURE(composite, norm_relu_composite);
BENCHMARK_CAPTURE(stem, norm_relu_pool, norm_relu_pool)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(stem, composite, norm_relu_pool_composite)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace fer
