#pragma once
#include <napi.h>

namespace fer::bindings {

/// (folder) -> a function that releases it, or undefined where another holds it.
Napi::Value lock_folder(const Napi::CallbackInfo& info);

}  // namespace fer::bindings
