#pragma once
#include <napi.h>

namespace fer::bindings {

/// What was built and what it runs on: LibTorch's version, processor features, threads.
Napi::Value describe(const Napi::CallbackInfo& info);
/// (name) -> { device, autoPrecision }: what the name of a device stands for here, and `auto` of a precision on it.
Napi::Value choose_device(const Napi::CallbackInfo& info);
/// The names of every choice, from the engine's own tables.
Napi::Value catalog(const Napi::CallbackInfo& info);

}  // namespace fer::bindings
