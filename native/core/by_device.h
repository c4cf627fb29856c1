#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "core/error.h"

namespace fer {

/// A function of which every kind of device has its own, told by its first argument. That of CUDA, where it was built,
/// is put in by the file that defines it, `*_cuda.cu`, as the addon is loaded.
template <typename Function>
struct ByDevice;

template <typename Result, typename... Others>
struct ByDevice<Result(const at::Tensor&, Others...)> {
  using Function = Result(const at::Tensor&, Others...);

  const char* name;
  Function* cpu;
  Function* cuda = nullptr;

  Result operator()(const at::Tensor& first, Others... others) const {
    const auto device = first.device();
    Function* function = device.is_cpu() ? cpu : device.is_cuda() ? cuda : nullptr;
    if (!function) throw Error("ERR_DEVICE", std::string(name) + " is not built for device " + device.str());
    return function(first, static_cast<Others>(others)...);
  }
};

}  // namespace fer
