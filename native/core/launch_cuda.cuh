#pragma once
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "core/launch.h"

namespace fer {

template <typename Kernel>
__global__ void run_kernel(const Kernel kernel) {
  __shared__ typename Kernel::Shared shared;
  typename Kernel::Own own;
  const Thread thread{blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)};
  const int phases = kernel.phases();
  for (int phase = 0; phase < phases; ++phase) {
    if (phase > 0) __syncthreads();
    kernel.run(phase, thread, shared, own);
  }
}

/// Queues a kernel on this thread's stream.
template <typename Kernel>
void launch(const Kernel& kernel, Launch by) {
  run_kernel<<<static_cast<unsigned>(by.blocks), by.threads, 0, c10::cuda::getCurrentCUDAStream()>>>(kernel);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

template <typename Item>
void launch_each(const Item& item, int64_t count) {
  if (count > 0) launch(Each<Item>{item, count}, launch_over(count));
}

}  // namespace fer
