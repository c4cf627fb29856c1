#include <ATen/Context.h>

#include <array>

#include "core/processor.h"
#include "inference/convolution/convolution.h"
#include "inference/convolution/operators.h"

namespace fer {
namespace {

constexpr std::array<int64_t, 2> dilation{1, 1};

struct Layer {
  at::Tensor weight;
  std::optional<at::Tensor> bias;
  std::array<int64_t, 2> padding, stride;
  bool relu;

  Layer(const Convolution& step, InputShape shape, at::ScalarType dtype)
      : bias(step.bias.to(dtype)),
        padding{step.padding, step.padding},
        stride{step.stride, step.stride},
        relu(step.relu) {
    static const auto reorder =
        find_operator<at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                                 at::OptionalIntArrayRef)>("mkldnn::_reorder_convolution_weight");
    weight = reorder.call(step.weight.to(dtype), padding, stride, dilation, 1, shape.sizes(step));
  }

  at::Tensor run(const at::Tensor& input) const {
    static const auto handle = find_operator<at::Tensor(
        const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
        at::IntArrayRef, int64_t, std::string_view, Scalars, Text)>("mkldnn::_convolution_pointwise");
    return handle.call(input, weight, bias, padding, stride, dilation, 1, relu ? "relu" : "none", no_scalars,
                       std::nullopt);
  }

  at::Tensor run(const at::Tensor& input, at::Tensor addend) const {
    static const auto handle = find_operator<at::Tensor&(
        at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
        at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>, Text, Scalars, Text)>(
        "mkldnn::_convolution_pointwise_", "binary");
    return handle.call(addend, input, weight, bias, padding, stride, dilation, 1, "add", std::nullopt,
                       relu ? Text("relu") : std::nullopt, no_scalars, std::nullopt);
  }
};

}  // namespace

bool has_onednn(at::ScalarType dtype) {
  if (!at::globalContext().hasMKLDNN() || !at::globalContext().userEnabledMkldnn()) return false;
  if (dtype == at::kByte) return processor_has("avx512_vnni");
  return dtype == at::kFloat || processor_has("avx512_f");
}

CompiledStep onednn_convolution(const Convolution& step, InputShape shape, at::ScalarType dtype) {
  return [layer = Layer(step, shape, dtype)](const at::Tensor& input, const at::Tensor& addend) {
    return addend.defined() ? layer.run(input, addend) : layer.run(input);
  };
}

}  // namespace fer
