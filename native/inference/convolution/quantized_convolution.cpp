#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/zeros.h>

#include "inference/convolution/convolution.h"
#include "inference/convolution/operators.h"

namespace fer {
namespace {

using Sides = c10::List<int64_t>;

constexpr float largest_weight = 127;

Sides sides(int64_t side) { return Sides({side, side}); }

struct QuantizedLayer {
  ConvolutionEncodings encodings;
  at::Tensor weight, steps, zeros;
  at::Tensor bias;
  int64_t stride, padding;
  bool relu;

  QuantizedLayer(const Convolution& step, InputShape shape, const ConvolutionEncodings& encodings)
      : encodings(encodings), bias(step.bias), stride(step.stride), padding(step.padding), relu(step.relu) {
    // One step an output channel; a channel of zeros has any.
    steps = step.weight.abs().amax({1, 2, 3}).clamp_min(1e-12F) / largest_weight;
    zeros = at::zeros({steps.size(0)}, at::kInt);
    const auto levels = (step.weight / steps.view({-1, 1, 1, 1})).round().to(at::kChar);
    static const auto prepack = find_operator<at::Tensor(at::Tensor, at::Tensor, double, int64_t, Sides, Sides, Sides,
                                                         int64_t, std::optional<Sides>)>("onednn::qconv_prepack");
    weight = prepack.call(levels, steps, encodings.input.step, encodings.input.zero, sides(stride), sides(padding),
                          sides(1), 1, Sides(shape.sizes(step)));
  }

  at::Tensor run(const at::Tensor& input) const {
    static const auto handle = find_operator<at::Tensor(
        at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, std::optional<at::Tensor>, Sides, Sides, Sides,
        int64_t, double, int64_t, std::optional<at::ScalarType>, std::string_view, Scalars, Text)>(
        "onednn::qconv2d_pointwise");
    const auto& [from, _, to] = encodings;
    return handle.call(input, from.step, from.zero, weight, steps, zeros, bias, sides(stride), sides(padding), sides(1),
                       1, to.step, to.zero, at::kByte, relu ? "relu" : "none", no_scalars, std::nullopt);
  }

  at::Tensor run(const at::Tensor& input, const at::Tensor& addend) const {
    static const auto handle = find_operator<at::Tensor(
        at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, at::Tensor, std::optional<at::Tensor>, Sides,
        Sides, Sides, int64_t, double, int64_t, std::optional<at::ScalarType>, double, int64_t, std::string_view,
        std::optional<at::Scalar>, Text, Scalars, Text)>("onednn::qconv2d_pointwise", "binary");
    const auto& [from, other, to] = encodings;
    return handle.call(input, from.step, from.zero, weight, steps, zeros, addend, bias, sides(stride), sides(padding),
                       sides(1), 1, to.step, to.zero, at::kByte, other.step, other.zero, "sum", 1.0,
                       relu ? Text("relu") : std::nullopt, no_scalars, std::nullopt);
  }
};

}  // namespace

CompiledStep quantized_convolution(const Convolution& step, InputShape shape, const ConvolutionEncodings& encodings) {
  return [layer = QuantizedLayer(step, shape, encodings)](const at::Tensor& input, const at::Tensor& addend) {
    return addend.defined() ? layer.run(input, addend) : layer.run(input);
  };
}

}  // namespace fer
