#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace fer {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// A tensor described before it is read, so that one that does not fit is refused without being read.
struct TensorSource {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  std::function<at::Tensor()> read;
};

}  // namespace fer
