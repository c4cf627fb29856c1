#pragma once
#include <c10/core/Device.h>

#include <array>
#include <string>

namespace fer {

enum class Precision { float32, bfloat16, int8 };

/// "auto" is bfloat16 where the device multiplies it in hardware (processors with AVX512-BF16 or AMX, every GPU that is
/// used), else float32.
Precision parse_precision(const std::string& name, c10::Device device);
const char* name_of(Precision precision);

/// While it lives, LibTorch on this thread runs convolutions and matrix products in the given precision, on any device.
class AutocastScope {
 public:
  explicit AutocastScope(Precision precision);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  std::array<bool, 2> previous_;
};

}  // namespace fer
