#pragma once
#include <functional>

#include "models/graph.h"
#include "ops/preprocess/preprocess.h"

// Ways of computing one convolution of a graph, its weights laid out in advance. Each is an adapter to operators that
// stand elsewhere; a plan chooses among them.
namespace fer {

/// Of a plan: (input (N, I, H, W), addend (N, O, h, w) or undefined) -> (N, O, h, w), channels-last. The result may lie
/// in the memory of `addend`, whose values are then lost.
using CompiledStep = std::function<at::Tensor(const at::Tensor& input, const at::Tensor& addend)>;

/// What a convolution will mostly read: the layout of its weights is chosen for that.
struct InputShape {
  int64_t pictures, side;

  std::vector<int64_t> sizes(const Convolution& step) const { return {pictures, step.weight.size(1), side, side}; }
};

/// Whether oneDNN's fused operators are part of this LibTorch and run on this processor in this type.
bool has_onednn(at::ScalarType dtype);

/// LibTorch's own operators, one after the other: the reference of the others, and the fallback without oneDNN.
CompiledStep plain_convolution(const Convolution& step, at::ScalarType dtype, at::Device device = at::kCPU);

/// cuDNN; in bfloat16 with bias, addition and relu fused.
CompiledStep cudnn_convolution(const Convolution& step, at::ScalarType dtype, at::Device device);

/// A weight (O, I, k, k) float32 as a device's convolutions of a type read it best.
at::Tensor laid_out(const at::Tensor& weight, at::ScalarType dtype, at::Device device);

/// oneDNN, float32 or bfloat16: weights in its blocked layout, bias, addition and relu fused.
CompiledStep onednn_convolution(const Convolution& step, InputShape shape, at::ScalarType dtype);

/// Minimal filtering, float32: for what `winograd::applies` to.
CompiledStep winograd_convolution(const Convolution& step);

/// How the values around a convolution are kept as uint8. `addend` is not looked at where the step has none.
struct ConvolutionEncodings {
  Encoding input, addend, output;
};

/// oneDNN, uint8 values and int8 weights, one step a channel: bias, addition and relu fused.
CompiledStep quantized_convolution(const Convolution& step, InputShape shape, const ConvolutionEncodings& encodings);

}  // namespace fer
