#include "data/loader.h"

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <numeric>

namespace fer {
namespace {

constexpr Normalization imagenet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
constexpr Augmentation everything{.flip = 0.5F,
                                  .shift = 0.1F,
                                  .scale = 0.2F,
                                  .rotation = 15,
                                  .brightness = 0.2F,
                                  .contrast = 0.2F,
                                  .noise = 0.5F,
                                  .noise_deviation = 5,
                                  .flip_or_noise = 0.5F,
                                  .erase = 0.5F,
                                  .erase_smallest = 0.02F,
                                  .erase_largest = 0.1F,
                                  .coarsen = 0,
                                  .coarsen_smallest = 1};

/// Pictures of the packed size for an input of `size`: an eighth larger.
void augmentation(benchmark::State& state, const Augmentation& settings, int64_t channels) {
  const auto size = state.range(0), packed = size + size / 8;
  const auto pixels = at::randint(0, 256, {packed, packed, channels}, at::kByte);
  const InputFormat format{size, Color::rgb, imagenet};
  auto output = at::empty({size, size, 3}, at::kBFloat16);
  uint64_t index = 0;
  for (auto _ : state) {
    augment(pixels.const_data_ptr<uint8_t>(), packed, packed, channels, settings, format, {1, 0, index++},
            output.mutable_data_ptr<at::BFloat16>());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(augmentation, none, Augmentation{}, 3)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(augmentation, everything, everything, 3)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(augmentation, everything_grey, everything, 1)->Arg(64)->Arg(224)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fer
