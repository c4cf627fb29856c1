#include "bindings/folder_lock.h"

#include "bindings/environment.h"
#include "io/folder_lock.h"

namespace fer::bindings {

Napi::Value lock_folder(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::shared_ptr<FolderLock> lock = FolderLock::acquire(info[0].ToString().Utf8Value());
    if (!lock) return info.Env().Undefined();
    return Napi::Function::New(
        info.Env(), [lock](const Napi::CallbackInfo&) mutable { lock.reset(); }, "release");
  });
}

}  // namespace fer::bindings
