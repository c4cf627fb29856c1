#include "core/precision.h"

#include <ATen/autocast_mode.h>

#include "core/error.h"
#include "core/processor.h"

namespace fer {
namespace {

constexpr std::array device_types{at::kCPU, at::kCUDA};

bool multiplies_bfloat16() { return processor_has("avx512_bf16") || processor_has("amx_bf16"); }

}  // namespace

Precision parse_precision(const std::string& name, c10::Device device) {
  if (name == "float32") return Precision::float32;
  if (name == "bfloat16") return Precision::bfloat16;
  if (name == "int8") return Precision::int8;
  if (name != "auto") {
    throw Error("ERR_INVALID_OPTION", "Expected `precision` to be auto, float32, bfloat16 or int8, got `" + name + "`");
  }
  return device.is_cuda() || multiplies_bfloat16() ? Precision::bfloat16 : Precision::float32;
}

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::int8:
      return "int8";
    default:
      return "float32";
  }
}

AutocastScope::AutocastScope(Precision precision) {
  at::autocast::increment_nesting();
  for (size_t i = 0; i < device_types.size(); ++i) {
    previous_[i] = at::autocast::is_autocast_enabled(device_types[i]);
    at::autocast::set_autocast_dtype(device_types[i], at::kBFloat16);
    at::autocast::set_autocast_enabled(device_types[i], precision == Precision::bfloat16);
  }
}

AutocastScope::~AutocastScope() {
  for (size_t i = 0; i < device_types.size(); ++i) at::autocast::set_autocast_enabled(device_types[i], previous_[i]);
  // The casts of the weights are cached until the outermost scope ends: once a step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace fer
