#include <cuda_runtime.h>

#include "core/device.h"

namespace fer {
namespace {

std::vector<Gpu> gpus() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();  // else the next call of CUDA reports it
    return {};
  }
  std::vector<Gpu> all;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) {
      cudaGetLastError();
      break;
    }
    all.push_back(
        {properties.name, properties.major, properties.minor, static_cast<int64_t>(properties.totalGlobalMem)});
  }
  return all;
}

std::string problem() {
  int count = 0;
  const auto status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  int driver = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0) return "there is no NVIDIA driver";
  return status == cudaSuccess ? "there is no GPU" : cudaGetErrorString(status);
}

const Cuda built{gpus, problem};
[[maybe_unused]] const bool put_in = (cuda = &built, true);

}  // namespace
}  // namespace fer
