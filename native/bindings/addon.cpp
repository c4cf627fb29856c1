// The whole surface that JavaScript sees; lib/native.ts gives its types.
#include <napi.h>

#include "bindings/cancellation.h"
#include "bindings/describe.h"
#include "bindings/environment.h"
#include "bindings/folder_lock.h"
#include "bindings/image_set.h"
#include "bindings/network.h"
#include "bindings/ops.h"
#include "bindings/trainer.h"
#include "core/threads.h"

namespace fer::bindings {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  Environment::install(env);
  compute_alone();
  const auto network = NetworkWrap::define(env);
  Environment::of(env).network_class = Napi::Persistent(network);

  exports.Set("describe", Napi::Function::New<describe>(env, "describe"));
  exports.Set("chooseDevice", Napi::Function::New<choose_device>(env, "chooseDevice"));
  exports.Set("catalog", Napi::Function::New<catalog>(env, "catalog"));

  exports.Set("close", Napi::Function::New(
                           env, [](const Napi::CallbackInfo& info) { Environment::of(info.Env()).close(); }, "close"));

  exports.Set("Cancellation", CancellationWrap::define(env));
  exports.Set("ImageSet", ImageSetWrap::define(env));
  exports.Set("Network", network);
  exports.Set("createNetwork", Napi::Function::New<NetworkWrap::create>(env, "createNetwork"));
  exports.Set("Trainer", TrainerWrap::define(env));
  exports.Set("lockFolder", Napi::Function::New<lock_folder>(env, "lockFolder"));

  exports.Set("arm", Napi::Function::New<arm>(env, "arm"));
  exports.Set("resize", Napi::Function::New<resize>(env, "resize"));
  exports.Set("toColor", Napi::Function::New<to_color>(env, "toColor"));
  exports.Set("measureMatrixProduct", Napi::Function::New<measure_matrix_product>(env, "measureMatrixProduct"));
  exports.Set("Backbone", BackboneWrap::define(env));
  return exports;
}

}  // namespace fer::bindings

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) {
  return fer::bindings::initialize(env, exports);
}
NODE_API_MODULE(fer_torch, initialize_addon)
