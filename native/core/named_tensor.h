#pragma once
#include <ATen/core/Tensor.h>

#include <string>

namespace fer {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

}  // namespace fer
