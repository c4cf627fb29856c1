#include "core/device.h"

#include <ATen/Context.h>

#include <charconv>

#include "core/error.h"

namespace fer {
namespace {

constexpr int least_major = 8;  // of the kernels, cmake/cuda.cmake, and the first with bfloat16

Error refused(const std::string& name, const std::string& why) {
  return {"ERR_DEVICE", "Device `" + name + "` cannot be used: " + why};
}

/// N of "cuda:N", 0 of "cuda".
size_t index_of(const std::string& name) {
  constexpr std::string_view prefix = "cuda";
  if (name == prefix) return 0;
  int index = -1;
  const char* end = name.data() + name.size();
  const bool named = name.starts_with("cuda:");
  const auto result = named ? std::from_chars(name.data() + prefix.size() + 1, end, index) : std::from_chars_result{};
  if (named && result.ec == std::errc() && result.ptr == end && index >= 0) {
    return static_cast<size_t>(index);
  }
  throw Error("ERR_INVALID_OPTION", "Expected `device` to be auto, cpu, cuda or cuda:N, got `" + name + "`");
}

std::string listed(const std::vector<Gpu>& gpus) {
  std::string text;
  for (size_t i = 0; i < gpus.size(); ++i) {
    text += (i == 0 ? "" : ", ") + ("cuda:" + std::to_string(i)) + " (" + gpus[i].name + ")";
  }
  return text;
}

void check_gpu(const std::string& name, size_t index) {
  if (!cuda) {
    throw refused(name,
                  "this addon is built for the CPU alone. `npm run build:cuda` in a clone builds one for NVIDIA GPUs");
  }
  const auto& gpus = usable_gpus();
  if (gpus.empty()) throw refused(name, cuda->problem() + ". `nvidia-smi` should list a GPU");
  if (index >= gpus.size()) throw refused(name, "there is " + listed(gpus));
  const auto& gpu = gpus[index];
  if (gpu.major < least_major) {
    throw refused(name, gpu.name + " has compute capability " + std::to_string(gpu.major) + "." +
                            std::to_string(gpu.minor) + ", and 8.0 is needed");
  }
}

/// float32 means float32, not the 10 bits of TF32, and convolutions give the same bits from run to run.
void be_exact() {
  [[maybe_unused]] static const bool once = [] {
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    return true;
  }();
}

}  // namespace

c10::Device parse_device(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  if (name == "auto") {
    const auto& gpus = usable_gpus();
    if (gpus.empty() || gpus.front().major < least_major) return c10::kCPU;
  } else {
    check_gpu(name, index_of(name));
  }
  be_exact();
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(name == "auto" ? 0 : index_of(name))};
}

const std::vector<Gpu>& usable_gpus() {
  static const auto all = cuda ? cuda->gpus() : std::vector<Gpu>{};
  return all;
}

}  // namespace fer
