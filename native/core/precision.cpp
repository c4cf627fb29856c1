#include "core/precision.h"

#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>

#include "core/error.h"

namespace fer {
namespace {

bool multiplies_bfloat16() {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  const auto has = [&](const char* name) {
    const auto found = capabilities.find(name);
    return found != capabilities.end() && found->second.isBool() && found->second.toBool();
  };
  return has("avx512_bf16") || has("amx_bf16");
}

}  // namespace

Precision parse_precision(const std::string& name) {
  if (name == "float32") return Precision::float32;
  if (name == "bfloat16") return Precision::bfloat16;
  if (name != "auto") {
    throw Error("ERR_INVALID_OPTION", "Expected `precision` to be auto, float32 or bfloat16, got `" + name + "`");
  }
  return multiplies_bfloat16() ? Precision::bfloat16 : Precision::float32;
}

const char* name_of(Precision precision) { return precision == Precision::bfloat16 ? "bfloat16" : "float32"; }

AutocastScope::AutocastScope(Precision precision) : previous_(at::autocast::is_autocast_enabled(at::kCPU)) {
  at::autocast::increment_nesting();
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, precision == Precision::bfloat16);
}

AutocastScope::~AutocastScope() {
  at::autocast::set_autocast_enabled(at::kCPU, previous_);
  // The casts of the weights are cached until the outermost scope ends: once a step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace fer
