#include <ATen/ops/randint.h>
#include <benchmark/benchmark.h>

#include "ops/preprocess/preprocess.h"
#include "ops/resize/resize.h"

namespace fer {
namespace {

constexpr int64_t input_size = 224;
constexpr Normalization image_net = {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

at::Tensor pictures(int64_t images, int64_t height, int64_t width) {
  return at::randint(0, 256, {images, height, width, 3}, at::kByte);
}

/// A photograph to the input's size.
void resize_photograph(benchmark::State& state) {
  const auto pixels = pictures(1, 960, 640);
  for (auto _ : state) benchmark::DoNotOptimize(resize(pixels, input_size, input_size));
}
BENCHMARK(resize_photograph)->Unit(benchmark::kMicrosecond)->UseRealTime();

/// Pictures that have the input's size already: colour and normalisation alone.
void preprocess_pixels(benchmark::State& state, Color color) {
  const auto pixels = pictures(state.range(0), input_size, input_size);
  const InputFormat format{input_size, color, image_net};
  for (auto _ : state) benchmark::DoNotOptimize(preprocess(pixels, format));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(preprocess_pixels, rgb, Color::rgb)->Arg(1)->Arg(32)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(preprocess_pixels, grey, Color::grey)->Arg(1)->Arg(32)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace fer
