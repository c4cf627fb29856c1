#pragma once
#include <napi.h>

namespace fer::bindings {

/// What was built and what it runs on: LibTorch's version, processor features, threads.
Napi::Value describe(const Napi::CallbackInfo& info);
/// The names of every choice, from the engine's own tables.
Napi::Value catalog(const Napi::CallbackInfo& info);

}  // namespace fer::bindings
