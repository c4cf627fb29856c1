#include "inference/plan.h"

#include <algorithm>

#include "ops/max_pool/max_pool.h"

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

std::vector<Encoding> encodings_for(const Graph& graph, Precision precision, const std::vector<Range>& ranges) {
  if (precision != Precision::int8) return std::vector<Encoding>(graph.steps.size() + 1, {dtype_of(precision)});
  if (ranges.size() != graph.steps.size() + 1) {
    throw Error("ERR_INVALID_OPTION", "This model's ranges are " + std::to_string(ranges.size()) + ", its values " +
                                          std::to_string(graph.steps.size() + 1) + ". Quantise it anew");
  }
  std::vector<Encoding> encodings;
  for (const auto& range : ranges) encodings.push_back(encoding_of(range));
  // Pooling passes levels on as they are.
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    if (std::holds_alternative<MaxPool>(graph.steps[i])) encodings[i + 1] = encodings[input_of(graph.steps[i])];
  }
  return encodings;
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

}  // namespace

Plan::Plan(const Graph& graph, const InputFormat& format, Precision precision, const std::vector<Range>& ranges)
    : format_(format),
      encodings_(encodings_for(graph, precision, ranges)),
      pictures_at_once_(8) {
  const auto sides = sides_of(graph, format.size);
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
  const auto dtype = dtype_of(precision);
  const auto run = precision == Precision::int8
                       ? quantized_convolution(convolution, shape,
                                               {encodings_[convolution.input],
                                                encodings_[convolution.addend.value_or(0)], encodings_[output]})
                   : has_onednn(dtype) ? onednn_convolution(convolution, shape, dtype)
                                       : plain_convolution(convolution, dtype);
  return {convolution.input, convolution.addend, run, {}};
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
  std::vector<at::Tensor> values(steps_.size() + 1);
  values[0] = preprocess(pixels, format_, encodings_[0]);
  if (observe) observe(0, values[0]);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto& step = steps_[i];
    auto addend = step.addend ? values[*step.addend] : at::Tensor();
    const bool lost = step.addend && std::ranges::count(step.released, *step.addend) > 0;
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
