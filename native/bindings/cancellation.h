#pragma once
#include <napi.h>

#include "core/cancellation.h"

namespace fer::bindings {

/// JavaScript: `new Cancellation()` with `request()`; passed to the calls it may stop.
class CancellationWrap : public Napi::ObjectWrap<CancellationWrap> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Cancellation", {InstanceMethod<&CancellationWrap::request>("request")});
  }
  static CancellationPtr of(const Napi::Value& value) { return Unwrap(value.As<Napi::Object>())->flag_; }

  explicit CancellationWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

 private:
  void request(const Napi::CallbackInfo&) { flag_->request(); }

  CancellationPtr flag_ = std::make_shared<Cancellation>();
};

}  // namespace fer::bindings
