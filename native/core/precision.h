#pragma once
#include <string>

namespace fer {

enum class Precision { float32, bfloat16, int8 };

/// "auto" is bfloat16 where the processor multiplies it in hardware (AVX512-BF16 or AMX), else float32.
Precision parse_precision(const std::string& name);
const char* name_of(Precision precision);

/// While it lives, LibTorch on this thread runs convolutions and matrix products in the given precision.
class AutocastScope {
 public:
  explicit AutocastScope(Precision precision);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool previous_;
};

}  // namespace fer
