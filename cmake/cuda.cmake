# LibTorch for CUDA, and kernels compiled for NVIDIA GPUs. Not by find_package(Torch), which asks for the development
# files of every library of CUDA that LibTorch itself was built with: the kernels here need nvcc and the runtime alone.
set(CMAKE_CUDA_ARCHITECTURES 80 90 120 CACHE STRING "Of the GPUs: 80 is an A100, 90 an H100, 120 a GeForce RTX 50")
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
# CMake 3.25 does not know the flag of nvcc 13.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION --std=c++20)
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION --std=c++20)

set(TORCH_LIBRARIES torch_for_cuda)
add_library(torch_for_cuda INTERFACE)
target_include_directories(torch_for_cuda SYSTEM INTERFACE
  ${FER_TORCH_LIBTORCH}/include ${FER_TORCH_LIBTORCH}/include/torch/csrc/api/include)
# torch_cuda registers itself as it is loaded: no symbol of it need be used for that.
target_link_libraries(torch_for_cuda INTERFACE
  -L${FER_TORCH_LIBTORCH}/lib -Wl,--no-as-needed torch_cuda c10_cuda torch_cpu torch c10 -Wl,--as-needed
  -Wl,--allow-shlib-undefined CUDA::cudart)

# constexpr functions are the host's and the GPU's alike.
function(add_cuda_kernels library)
  target_sources(${library} PRIVATE ${ARGN})
  target_compile_options(${library} PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr;-Xcompiler=-fvisibility=hidden>")
endfunction()
