#pragma once
#include <c10/core/Device.h>

#include <string>
#include <vector>

namespace fer {

/// An NVIDIA GPU that can be used.
struct Gpu {
  std::string name;
  int major, minor;  // of its compute capability
  int64_t memory;    // bytes
};

/// What core/device_cuda.cu puts in where CUDA was built.
struct Cuda {
  std::vector<Gpu> (*gpus)();
  /// Why there is none, in the driver's words.
  std::string (*problem)();
};
inline const Cuda* cuda = nullptr;

/// "cpu"; "cuda", the first GPU; "cuda:N"; or "auto", the first GPU where one can be used and the CPU elsewhere.
/// ERR_DEVICE says what is missing: a build for CUDA, a driver, a GPU, that GPU, or one new enough.
c10::Device parse_device(const std::string& name);

/// All that can be used, found once; none without a build for CUDA.
const std::vector<Gpu>& usable_gpus();

}  // namespace fer
