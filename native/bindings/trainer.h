#pragma once
#include <napi.h>

#include <memory>

#include "core/worker.h"
#include "training/trainer.h"

namespace fer::bindings {

/// JavaScript: `new Trainer(network, shares, options)`, shares as [{ images, indices, weight }]. While it lives, the
/// network is its own; all its work is done on a thread of its own, one call after the other.
class TrainerWrap : public Napi::ObjectWrap<TrainerWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit TrainerWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value batch_size(const Napi::CallbackInfo& info);
  Napi::Value steps_per_epoch(const Napi::CallbackInfo& info);
  /// (untilStep, milliseconds, cancellation, onStep) -> Promise of the number of steps done: all, or as many as the
  /// time allows
  Napi::Value run(const Napi::CallbackInfo& info);
  /// [{ name, dtype, shape }], in the order in which `save` writes.
  Napi::Value state(const Napi::CallbackInfo& info);
  /// (path, prefix) -> Promise
  Napi::Value save(const Napi::CallbackInfo& info);
  /// (file, stepsDone) -> Promise; file as createNetwork takes it
  Napi::Value restore(const Napi::CallbackInfo& info);
  /// (network, cancellation) -> Promise
  Napi::Value average_into(const Napi::CallbackInfo& info);
  /// (network, images, indices, inferenceOptions, cancellation) -> Promise of a Tensor (N, K)
  Napi::Value evaluate(const Napi::CallbackInfo& info);

  /// Ends the thread and frees the optimizer's state; only when no call is in flight. Later calls: ERR_DISPOSED.
  void dispose(const Napi::CallbackInfo& info);

  Worker& worker();
  Trainer& trainer();

  std::shared_ptr<Network> network_;
  std::shared_ptr<Trainer> trainer_;
  std::unique_ptr<Worker> worker_;
  Napi::ObjectReference shares_;
};

}  // namespace fer::bindings
