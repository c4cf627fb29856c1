#pragma once
#include <ATen/ops/empty.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>

#include "models/graph.h"
#include "ops/convolution/convolution.h"

namespace fer {

/// A square convolution without bias that keeps the size but for its stride. Unlike torch::nn::Conv2d it draws no
/// weights: `initialize` or a file gives them.
struct ConvolutionLayerImpl : torch::nn::Module {
  ConvolutionLayerImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride)
      : stride(stride),
        padding(kernel / 2),
        weight(register_parameter(
            "weight", at::empty({out, in, kernel, kernel}, at::TensorOptions(at::MemoryFormat::ChannelsLast)))) {}

  at::Tensor forward(const at::Tensor& input) { return convolution(input, weight, stride, padding); }

  int64_t stride, padding;
  at::Tensor weight;
};
TORCH_MODULE(ConvolutionLayer);

/// relu(norm(x) + addend), of the batch in training and of the running statistics otherwise; `addend` may be undefined.
at::Tensor activate(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& addend = {},
                    bool relu = true);

/// The same, then max pooling of 3 x 3, stride 2, padding 1.
at::Tensor activate_and_pool(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x);

/// A convolution and the norm after it, as one step at inference.
Convolution fold(const ConvolutionLayerImpl& layer, const torch::nn::BatchNorm2dImpl& norm, ValueId input, bool relu,
                 std::optional<ValueId> addend = std::nullopt);

}  // namespace fer
