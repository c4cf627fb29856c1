#pragma once
#include <napi.h>

#include <memory>

#include "inference/predictor.h"

namespace fer::bindings {

/// JavaScript: a network's weights. Made by `createNetwork`, never by `new`.
class NetworkWrap : public Napi::ObjectWrap<NetworkWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  /// (spec, seed) -> Promise of a network with fresh weights; (spec, file) with those of an open file, where file is
  /// { descriptor, path, tensors: [{ name, dtype, shape, strides?, offset }] }.
  static Napi::Value create(const Napi::CallbackInfo& info);
  /// ERR_DISPOSED after dispose().
  static std::shared_ptr<Network> of(const Napi::Value& value) { return predictor_of(value)->network(); }
  static std::shared_ptr<Predictor> predictor_of(const Napi::Value& value);

  explicit NetworkWrap(const Napi::CallbackInfo& info);
  ~NetworkWrap() override { release(); }

 private:
  /// [{ name, dtype, shape }], in the order in which `save` writes.
  Napi::Value state(const Napi::CallbackInfo& info);
  Napi::Value calibrated(const Napi::CallbackInfo& info);
  /// (path, prefix, dtype) -> Promise
  Napi::Value save(const Napi::CallbackInfo& info);
  /// (inputs, options, 'logits' | 'features', cancellation) -> Promise of a Tensor
  Napi::Value infer(const Napi::CallbackInfo& info);
  /// (imageSet, indices, options, cancellation, onProgress) -> Promise of a Tensor (N, K)
  Napi::Value explain(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  /// (file) -> Promise; takes over the tensors of the file, and leaves the others as they are.
  Napi::Value adopt(const Napi::CallbackInfo& info);
  /// (imageSet, indices, options, cancellation, onProgress) -> Promise; sets the running generic part.
  Napi::Value calibrate(const Napi::CallbackInfo& info);
  /// (imageSet, indices, options, cancellation, onProgress) -> Promise of [[low, high]], one a value of the graph
  Napi::Value measure_ranges(const Napi::CallbackInfo& info);
  /// (affinity) -> Promise of { steps, reading }, the network at inference as data
  Napi::Value graph(const Napi::CallbackInfo& info);
  /// Another handle of the same network, which disposing of this one leaves alone.
  Napi::Value share(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  void release();

  std::shared_ptr<Predictor> predictor_;
  /// What V8 is told that this object holds, so that it collects models nobody disposes of.
  int64_t bytes_ = 0;
};

}  // namespace fer::bindings
