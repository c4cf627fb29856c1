#include "bindings/describe.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/cpu/Utils.h>
#include <torch/headeronly/version.h>

#include "bindings/convert.h"
#include "core/device.h"
#include "core/precision.h"
#include "core/threads.h"
#include "data/sampler.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace fer::bindings {
namespace {

/// [{ name, capability, memory }], the last in bytes
Napi::Array from_gpus(Napi::Env env, const std::vector<Gpu>& gpus) {
  auto array = Napi::Array::New(env, gpus.size());
  for (size_t i = 0; i < gpus.size(); ++i) {
    auto gpu = Napi::Object::New(env);
    gpu.Set("name", gpus[i].name);
    gpu.Set("capability", std::to_string(gpus[i].major) + "." + std::to_string(gpus[i].minor));
    gpu.Set("memory", static_cast<double>(gpus[i].memory));
    array.Set(static_cast<uint32_t>(i), gpu);
  }
  return array;
}

}  // namespace

Napi::Value describe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  auto features = Napi::Object::New(env);
  for (const auto& [name, value] : at::cpu::get_cpu_capabilities()) {
    if (value.isBool()) features.Set(name, value.toBool());
    if (value.isString()) features.Set(name, value.toStringRef());
  }
  auto result = Napi::Object::New(env);
  result.Set("libTorch", TORCH_VERSION);
  result.Set("instructions", at::get_cpu_capability());
  result.Set("threads", compute_threads());
  result.Set("autoPrecision", name_of(parse_precision("auto", at::kCPU)));
  result.Set("processor", features);
  result.Set("cuda", cuda != nullptr);
  result.Set("gpus", from_gpus(env, usable_gpus()));
  return result;
}

Napi::Value choose_device(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto device = parse_device(info[0].ToString());
    auto result = Napi::Object::New(info.Env());
    result.Set("device", device.str());
    result.Set("autoPrecision", name_of(parse_precision("auto", device)));
    return result;
  });
}

Napi::Value catalog(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  auto result = Napi::Object::New(env);
  result.Set("backbones", from_names(env, backbones()));
  result.Set("heads", from_names(env, heads()));
  result.Set("stems", from_names(env, stems()));
  result.Set("affinities", from_names(env, affinities()));
  result.Set("optimizers", from_names(env, optimizers()));
  result.Set("samplers", from_names(env, samplers()));
  result.Set("schedules", from_names(env, schedules()));
  return result;
}

}  // namespace fer::bindings
