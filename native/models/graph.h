#pragma once
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

// What a network computes at inference, as data: compiled into a plan, measured for quantisation, written as ONNX.
namespace fer {

/// Value 0 is the normalised picture; step i makes value i + 1.
using ValueId = size_t;

/// A convolution with the norm that follows it folded in.
struct Convolution {
  ValueId input;
  at::Tensor weight;  // (O, I, k, k) float32
  at::Tensor bias;    // (O) float32
  int64_t stride, padding;
  std::optional<ValueId> addend;  // added before the activation
  bool relu;
};

struct MaxPool {
  ValueId input;
  int64_t kernel, stride, padding;
};

using GraphStep = std::variant<Convolution, MaxPool>;

inline ValueId input_of(const GraphStep& step) {
  return std::visit([](const auto& any) { return any.input; }, step);
}

/// From the picture to the backbone's map, the value of the last step.
struct Graph {
  std::vector<GraphStep> steps;

  ValueId add(GraphStep step) {
    steps.push_back(std::move(step));
    return steps.size();
  }
};

/// Everything from the map (N, C, h, w) to the logits, as one linear layer: logits = weight . map + bias.
struct Reading {
  at::Tensor weight;  // (K, C, h, w) float32
  at::Tensor bias;    // (K) float32
};

}  // namespace fer
