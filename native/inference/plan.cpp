#include "inference/plan.h"

#include <algorithm>
#include <cmath>

#include <c10/core/DeviceGuard.h>

#include "ops/max_pool/max_pool.h"
#include "ops/winograd/winograd.h"

namespace fer {
namespace {

at::ScalarType dtype_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return at::kBFloat16;
    case Precision::int8:
      return at::kByte;
    default:
      return at::kFloat;
  }
}

/// 256 levels over the range, one of them exactly zero.
Encoding encoding_of(Range range) {
  const float low = std::min(range.low, 0.0F), high = std::max(range.high, 0.0F);
  const float step = std::max((high - low) / 255, 1e-12F);
  return {at::kByte, step, static_cast<int>(std::lround(-low / step))};
}

std::vector<Encoding> encodings_for(const Graph& graph, Precision precision, const std::vector<Range>& ranges,
                                    at::Device device) {
  if (precision != Precision::int8) return std::vector<Encoding>(graph.steps.size() + 1, {dtype_of(precision)});
  if (device.is_cuda()) {
    throw Error("ERR_INVALID_OPTION", "Expected `precision` to be another than int8 on a GPU. Use auto");
  }
  if (ranges.size() != graph.steps.size() + 1) {
    throw Error("ERR_BAD_MODEL", "This model's ranges are " + std::to_string(ranges.size()) + ", its values " +
                                     std::to_string(graph.steps.size() + 1) + ". Quantise it anew");
  }
  if (!has_onednn(at::kByte)) {
    throw Error("ERR_INVALID_OPTION",
                "Expected `precision` to be another than int8: this processor has no AVX-512 VNNI. Use auto");
  }
  std::vector<Encoding> encodings;
  for (const auto& range : ranges) encodings.push_back(encoding_of(range));
  // Pooling passes levels on as they are.
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    if (std::holds_alternative<MaxPool>(graph.steps[i])) encodings[i + 1] = encodings[input_of(graph.steps[i])];
  }
  return encodings;
}

/// Whether minimal filtering is the faster way (docs/performance.md). Its transformed weights are four times as large:
/// those of 256 channels and more, 9 MB a layer, cost one picture more to read than they save.
bool winograd_pays(const Convolution& step, Precision precision) {
  constexpr int64_t most_weights = 128 * 128;
  return precision == Precision::float32 && has_onednn(at::kFloat) &&
         step.weight.size(0) * step.weight.size(1) <= most_weights &&
         winograd::applies(step.weight, step.stride, step.padding);
}

/// A fused activation may make zero of what is no number, and the answer would look like one.
void check_finite(const Convolution& step) {
  if (step.weight.isfinite().all().item<bool>() && step.bias.isfinite().all().item<bool>()) return;
  throw Error("ERR_BAD_MODEL",
              "A weight, with the norm after it folded in, is not finite: the model is damaged, or its training "
              "diverged. Train it anew");
}

CompiledStep compile_convolution(const Convolution& step, InputShape shape, Precision precision,
                                 const ConvolutionEncodings& encodings, at::Device device) {
  if (device.is_cuda()) return cudnn_convolution(step, dtype_of(precision), device);
  if (precision == Precision::int8) return quantized_convolution(step, shape, encodings);
  if (winograd_pays(step, precision)) return winograd_convolution(step);
  const auto dtype = dtype_of(precision);
  return has_onednn(dtype) ? onednn_convolution(step, shape, dtype) : plain_convolution(step, dtype);
}

/// Sides of each value, for a square picture.
std::vector<int64_t> sides_of(const Graph& graph, int64_t picture) {
  std::vector<int64_t> sides{picture};
  const auto side = [&](ValueId input, int64_t kernel, int64_t stride, int64_t padding) {
    return (sides[input] + 2 * padding - kernel) / stride + 1;
  };
  for (const auto& step : graph.steps) {
    if (const auto* pool = std::get_if<MaxPool>(&step)) {
      sides.push_back(side(pool->input, pool->kernel, pool->stride, pool->padding));
    } else {
      const auto& convolution = std::get<Convolution>(step);
      sides.push_back(side(convolution.input, convolution.weight.size(2), convolution.stride, convolution.padding));
    }
  }
  return sides;
}

/// As many as the caches serve well: the largest value of eight pictures of 224 x 224 (of 1, 2, 4 and 8
/// the fastest there, or as fast), and one at least, however large it is. A GPU is filled by some hundred of them.
int64_t pictures_for(const Graph& graph, const std::vector<int64_t>& sides, at::Device device) {
  constexpr int64_t value = 64 * 112 * 112;
  const int64_t budget = value * (device.is_cuda() ? 128 : 8), most = device.is_cuda() ? 512 : 64;
  int64_t largest = 1;
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    const auto* convolution = std::get_if<Convolution>(&graph.steps[i]);
    if (convolution) largest = std::max(largest, convolution->weight.size(0) * sides[i + 1] * sides[i + 1]);
  }
  return std::clamp<int64_t>(budget / largest, 1, most);
}

}  // namespace

Plan::Plan(const Graph& graph, const InputFormat& format, Precision precision, const std::vector<Range>& ranges,
           at::Device device)
    : format_(format), device_(device), encodings_(encodings_for(graph, precision, ranges, device)) {
  if (device.is_cuda()) replay_ = make_replay();
  const auto sides = sides_of(graph, format.size);
  pictures_at_once_ = pictures_for(graph, sides, device);
  for (const auto& step : graph.steps) {
    const auto side = sides[input_of(step)];
    steps_.push_back(compile(step, {pictures_at_once_, side}, steps_.size() + 1, precision));
  }
  mark_last_uses();
}

Plan::Step Plan::compile(const GraphStep& step, InputShape shape, ValueId output, Precision precision) const {
  if (const auto* pool = std::get_if<MaxPool>(&step)) {
    return {pool->input,
            {},
            [pool = *pool](const at::Tensor& input, const at::Tensor&) {
              return max_pool(input, pool.kernel, pool.stride, pool.padding);
            },
            {}};
  }
  const auto& convolution = std::get<Convolution>(step);
  check_finite(convolution);
  const ConvolutionEncodings encodings{encodings_[convolution.input], encodings_[convolution.addend.value_or(0)],
                                       encodings_[output]};
  return {convolution.input,
          convolution.addend,
          compile_convolution(convolution, shape, precision, encodings, device_),
          {}};
}

void Plan::mark_last_uses() {
  std::vector<bool> used(steps_.size() + 1, false);
  used.back() = true;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (const auto value : {step->input, step->addend.value_or(step->input)}) {
      if (!used[value]) step->released.push_back(value);
      used[value] = true;
    }
  }
}

at::Tensor Plan::map(const at::Tensor& pixels, const Observer& observe) const {
  if (device_.is_cpu()) return compute(pixels, observe);
  const c10::DeviceGuard on_device(device_);
  const auto sent = pixels.to(device_);
  // Who observes must see every value.
  if (observe) return compute(sent, observe);
  return replay_->run(sent, [this](const at::Tensor& input) { return compute(input, nullptr); });
}

at::Tensor Plan::compute(const at::Tensor& pixels, const Observer& observe) const {
  std::vector<at::Tensor> values(steps_.size() + 1);
  values[0] = preprocess(pixels, format_, encodings_[0]);
  if (observe) observe(0, values[0]);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto& step = steps_[i];
    auto addend = step.addend ? values[*step.addend] : at::Tensor();
    // A step may write its result over its addend, but not over what is still read.
    const bool lost =
        addend.defined() && *step.addend != step.input && std::ranges::count(step.released, *step.addend) > 0;
    if (addend.defined() && !lost) addend = addend.clone();
    values[i + 1] = step.run(values[step.input], addend);
    for (const auto value : step.released) values[value].reset();
    if (observe) observe(i + 1, values[i + 1]);
  }
  return decode(values.back());
}

at::Tensor Plan::decode(const at::Tensor& map) const {
  const auto& [dtype, step, zero] = encodings_.back();
  const auto values = map.to(at::kFloat);
  return dtype == at::kByte ? values.sub(zero).mul_(step) : values;
}

}  // namespace fer
