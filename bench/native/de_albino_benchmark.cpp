#include "ops/de_albino/de_albino.h"

#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

namespace fer {
namespace {

using Operator = at::Tensor (*)(const at::Tensor&, const at::Tensor&, DeAlbinoSettings);

/// As ResNet-18 leaves them of 224 x 224 pixels.
at::Tensor features(int64_t images, at::ScalarType dtype) {
  return at::randn({images, 512, 7, 7}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
}

void forward(benchmark::State& state, Operator op, at::ScalarType dtype) {
  at::NoGradGuard no_grad;
  const auto x = features(state.range(0), dtype);
  const auto kernel = at::randn({32, 32}).to(dtype);
  for (auto _ : state) benchmark::DoNotOptimize(op(x, kernel, {}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void backward(benchmark::State& state, Operator op, at::ScalarType dtype) {
  const auto x = features(state.range(0), dtype).requires_grad_();
  const auto kernel = at::randn({32, 32}).to(dtype).requires_grad_();
  const auto output = op(x, kernel, {});
  const auto gradient = at::randn_like(output);
  for (auto _ : state) {
    benchmark::DoNotOptimize(torch::autograd::grad({output}, {x, kernel}, {gradient}, /*retain_graph=*/true));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

#define FER_MEASURE(pass, name, op, dtype) \
  BENCHMARK_CAPTURE(pass, name, op, dtype)->Arg(1)->Arg(32)->Unit(benchmark::kMicrosecond)->UseRealTime()

FER_MEASURE(forward, de_albino_float32, de_albino, at::kFloat);
FER_MEASURE(forward, composite_float32, de_albino_composite, at::kFloat);
FER_MEASURE(forward, de_albino_bfloat16, de_albino, at::kBFloat16);
FER_MEASURE(forward, composite_bfloat16, de_albino_composite, at::kBFloat16);
FER_MEASURE(backward, de_albino_float32, de_albino, at::kFloat);
FER_MEASURE(backward, composite_float32, de_albino_composite, at::kFloat);
FER_MEASURE(backward, de_albino_bfloat16, de_albino, at::kBFloat16);
FER_MEASURE(backward, composite_bfloat16, de_albino_composite, at::kBFloat16);

}  // namespace
}  // namespace fer
