#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/TensorBody.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/lanes.h"
#include "ops/norm_relu/norm_relu.h"
#include "ops/norm_relu/norm_relu_math.h"

namespace fer::norm_relu_kernels {
namespace {

using at::BFloat16;

/// Calls a function for groups of four vectors of channels, then for single ones: several sums at once hide how long an
/// addition takes.
template <typename Function>
FER_INLINE void for_channels(int64_t channels, const Function& function) {
  constexpr int many = 4;
  int64_t c = 0;
  for (; c + many * lanes <= channels; c += many * lanes) function(c, std::integral_constant<int, many>());
  for (; c < channels; c += lanes) function(c, std::integral_constant<int, 1>());
}

FER_INLINE void add_to(float* sums, const Lanes& more) { store(load(sums) + more, sums); }

/// Of x - pivot and its square, so that a mean far from zero does not drown the variance.
FER_VECTORIZED void add_moments(const BFloat16* x, int64_t channels, Range rows, const BFloat16* pivots, Sums sums) {
  for_channels(channels, [&](int64_t c, auto vectors) FER_INLINE_LAMBDA {
    Lanes first[vectors] = {}, second[vectors] = {}, pivot[vectors];
    for (int v = 0; v < vectors; ++v) pivot[v] = load(pivots + c + v * lanes);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      for (int v = 0; v < vectors; ++v) {
        const Lanes value = load(x + row * channels + c + v * lanes) - pivot[v];
        first[v] += value;
        second[v] += value * value;
      }
    }
    for (int v = 0; v < vectors; ++v) add_to(sums.first + c + v * lanes, first[v]);
    for (int v = 0; v < vectors; ++v) add_to(sums.second + c + v * lanes, second[v]);
  });
}

FER_VECTORIZED void normalize(const BFloat16* x, const BFloat16* addend, int64_t channels, Range rows,
                              const float* scale, const float* shift, bool relu, BFloat16* to) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t c = 0; c < channels; c += lanes) {
      const int64_t place = row * channels + c;
      Lanes value = load(x + place) * load(scale + c) + load(shift + c);
      if (addend) value += load(addend + place);
      store(relu ? rectified(value) : value, to + place);
    }
  }
}

/// Where the gradient passes through the ReLU.
struct Mask {
  const BFloat16* output;  // or null: then what it was before the ReLU is computed again
  const float* scale;
  const float* shift;
  bool relu;

  FER_INLINE Lanes masked(const Lanes& gradient, const Lanes& x, int64_t place, int64_t c) const {
    if (!relu) return gradient;
    const Lanes value = output ? load(output + place) : x * load(scale + c) + load(shift + c);
    return value > 0 ? gradient : Lanes{};
  }
};

/// Of the gradient and its product with x - mean. The masked gradient is also kept where `kept` is not null.
FER_VECTORIZED void add_gradients(const BFloat16* gradient, const BFloat16* x, int64_t channels, Range rows,
                                  const float* mean, Mask mask, Sums sums, BFloat16* kept) {
  for_channels(channels, [&](int64_t c, auto vectors) FER_INLINE_LAMBDA {
    Lanes first[vectors] = {}, second[vectors] = {};
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      for (int v = 0; v < vectors; ++v) {
        const int64_t channel = c + v * lanes, place = row * channels + channel;
        const Lanes value = load(x + place);
        const Lanes through = mask.masked(load(gradient + place), value, place, channel);
        if (kept) store(through, kept + place);
        first[v] += through;
        second[v] += through * (value - load(mean + channel));
      }
    }
    for (int v = 0; v < vectors; ++v) add_to(sums.first + c + v * lanes, first[v]);
    for (int v = 0; v < vectors; ++v) add_to(sums.second + c + v * lanes, second[v]);
  });
}

FER_VECTORIZED void combine(const BFloat16* gradient, const BFloat16* x, int64_t channels, Range rows, Mask mask,
                            const float* by_gradient, const float* by_x, const float* constant, BFloat16* to) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t c = 0; c < channels; c += lanes) {
      const int64_t place = row * channels + c;
      const Lanes value = load(x + place);
      const Lanes through = mask.masked(load(gradient + place), value, place, c);
      store(through * load(by_gradient + c) + (value * load(by_x + c) + load(constant + c)), to + place);
    }
  }
}

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }
at::Tensor like(const at::Tensor& map) { return at::empty_like(map, map.options(), at::MemoryFormat::ChannelsLast); }

const BFloat16* pointer(const at::Tensor& map) { return map.defined() ? map.const_data_ptr<BFloat16>() : nullptr; }

/// Of a batch, (C) float32 each.
struct Statistics {
  at::Tensor mean, variance;  // the latter of the batch itself, divided by n
};

Statistics statistics(const at::Tensor& x) {
  RECORD_FUNCTION("fer_torch::norm_relu_statistics", {});
  const auto rows = rows_of(x);
  const auto* pixels = pointer(x);
  const auto totals =
      sum_rows(rows, [&](Range range, Sums sums) { add_moments(pixels, rows.channels, range, pixels, sums); });
  const auto options = x.options().dtype(at::kFloat);
  Statistics result{at::empty({rows.channels}, options), at::empty({rows.channels}, options)};
  for (int64_t c = 0; c < rows.channels; ++c) {
    const auto i = static_cast<size_t>(c);
    const auto moments = norm_relu_math::moments_of(totals.first[i], totals.second[i], static_cast<double>(rows.count),
                                                    static_cast<double>(pixels[c]));
    result.mean.mutable_data_ptr<float>()[c] = static_cast<float>(moments.mean);
    result.variance.mutable_data_ptr<float>()[c] = static_cast<float>(moments.variance);
  }
  return result;
}

NormValues normalization_cpu(const at::Tensor& x, const Norm& norm) {
  const auto [mean, variance] = statistics(x);
  // The running variance is the unbiased one, as LibTorch has it.
  const auto count = static_cast<double>(rows_of(x).count);
  at::Tensor(norm.running_mean).lerp_(mean, norm.momentum);
  at::Tensor(norm.running_variance).lerp_(variance * (count / (count - 1)), norm.momentum);
  const auto inverse = (variance + norm.epsilon).rsqrt_();
  const auto scale = norm.weight * inverse;
  return {.weight = norm.weight,
          .scale = scale,
          .shift = norm.bias - mean * scale,
          .mean = mean,
          .inverse_deviation = inverse};
}

at::Tensor forward_cpu(const at::Tensor& x, const at::Tensor& addend, const NormValues& values, bool relu) {
  RECORD_FUNCTION("fer_torch::norm_relu", {});
  auto output = like(x);
  auto* to = output.mutable_data_ptr<BFloat16>();
  const auto rows = rows_of(x);
  for_rows(rows, [&](Range range) {
    normalize(pointer(x), pointer(addend), rows.channels, range, values.scale.const_data_ptr<float>(),
              values.shift.const_data_ptr<float>(), relu, to);
  });
  return output;
}

Gradients backward_cpu(const at::Tensor& gradient, const Saved& saved) {
  RECORD_FUNCTION("fer_torch::norm_relu_backward", {});
  const auto& values = saved.values;
  const auto rows = rows_of(saved.x);
  const auto dense = channels_last(gradient);
  Mask mask{pointer(saved.output), values.scale.const_data_ptr<float>(), values.shift.const_data_ptr<float>(),
            saved.relu};
  // What passes to the addend is what comes back, but for the ReLU.
  auto passed = saved.adds ? (saved.relu ? like(dense) : dense) : at::Tensor();
  auto* kept = saved.adds && saved.relu ? passed.mutable_data_ptr<BFloat16>() : nullptr;
  const auto totals = sum_rows(rows, [&](Range range, Sums sums) {
    add_gradients(pointer(dense), pointer(saved.x), rows.channels, range, values.mean.const_data_ptr<float>(), mask,
                  sums, kept);
  });
  const auto result = norm_gradients(totals, rows.count, values);
  const auto* by_gradient = result.coefficients.gradient.const_data_ptr<float>();
  const auto* by_x = result.coefficients.x.const_data_ptr<float>();
  const auto* constant = result.coefficients.constant.const_data_ptr<float>();
  if (kept) mask.relu = false;
  const auto* through = kept ? kept : pointer(dense);
  auto to_x = like(saved.x);
  auto* to = to_x.mutable_data_ptr<BFloat16>();
  for_rows(rows, [&](Range range) {
    combine(through, pointer(saved.x), rows.channels, range, mask, by_gradient, by_x, constant, to);
  });
  return {to_x, passed, result.weight, result.bias};
}

}  // namespace

constinit ByDevice<NormValues(const at::Tensor&, const Norm&)> normalization{"norm_relu", normalization_cpu};
constinit ByDevice<at::Tensor(const at::Tensor&, const at::Tensor&, const NormValues&, bool)> forward{"norm_relu",
                                                                                                      forward_cpu};
constinit ByDevice<Gradients(const at::Tensor&, const Saved&)> backward{"norm_relu", backward_cpu};

bool applies(const at::Tensor& x, const at::Tensor& addend) {
  constexpr int64_t most_channels = 2048;
  const auto fits = [](const at::Tensor& map) {
    return map.scalar_type() == at::kBFloat16 && map.is_contiguous(at::MemoryFormat::ChannelsLast);
  };
  return x.dim() == 4 && fits(x) && (!addend.defined() || fits(addend)) && x.size(1) % lanes == 0 &&
         (x.is_cpu() || x.size(1) <= most_channels) && x.numel() > x.size(1);
}

NormGradients norm_gradients(const Totals& totals, int64_t count, const NormValues& values) {
  const auto empty = [&] { return at::empty_like(values.weight); };
  NormGradients result{empty(), empty(), {values.scale, empty(), empty()}};
  for (int64_t c = 0; c < values.weight.numel(); ++c) {
    const auto i = static_cast<size_t>(c);
    const auto gradients =
        norm_relu_math::gradients_of(totals.first[i], totals.second[i], static_cast<double>(count),
                                     static_cast<double>(values.scale.const_data_ptr<float>()[c]),
                                     static_cast<double>(values.mean.const_data_ptr<float>()[c]),
                                     static_cast<double>(values.inverse_deviation.const_data_ptr<float>()[c]));
    result.weight.mutable_data_ptr<float>()[c] = static_cast<float>(gradients.weight);
    result.bias.mutable_data_ptr<float>()[c] = static_cast<float>(gradients.bias);
    result.coefficients.x.mutable_data_ptr<float>()[c] = static_cast<float>(gradients.by_x);
    result.coefficients.constant.mutable_data_ptr<float>()[c] = static_cast<float>(gradients.constant);
  }
  return result;
}

}  // namespace fer::norm_relu_kernels
