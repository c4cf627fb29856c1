#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/cancellation.h"
#include "core/worker.h"

namespace fer::bindings {

/// Makes the JavaScript value of a finished job, on the JavaScript thread.
using Finish = std::function<Napi::Value(Napi::Env)>;
/// Of a job without a result.
inline Napi::Value nothing(Napi::Env env) { return env.Undefined(); }
/// JavaScript objects that must outlive a job, such as buffers it reads in place.
using Keep = std::vector<Napi::ObjectReference>;

/// What the addon holds for one JavaScript environment (the main thread or a worker_thread): the one channel by which
/// its jobs speak to JavaScript, and the jobs to stop and wait for when the environment goes.
class Environment {
 public:
  static void install(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  /// Runs `work` on `worker`; settles the promise with what the Finish it returns makes, or with its error.
  Napi::Promise submit(Worker& worker, CancellationPtr cancellation, Keep keep, std::function<Finish()> work);

  /// From a running job of this environment: calls `function` on the JavaScript thread, before the job settles.
  using Post = std::function<void(std::function<void(Napi::Env)>)>;
  Post poster();

  /// Stops every job and waits for those that run; none is started any more.
  void close();

  Napi::FunctionReference network_class;

 private:
  struct Job;
  struct Channel;

  explicit Environment(Napi::Env env);
  void settle(std::unique_ptr<Job> job);

  Napi::Env env_;
  std::shared_ptr<Channel> channel_;
  size_t unsettled_ = 0;  // while there are any, the channel keeps the event loop alive
};

/// The compute thread that serves predict, evaluate and ops for the whole process.
Worker& compute_worker();

/// A JavaScript error with the code of an fer::Error, or ERR_NATIVE with LibTorch's own words.
Napi::Error to_javascript(Napi::Env env, const std::exception_ptr& error);

/// Calls `body`, rethrowing what the engine throws as a JavaScript error.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_javascript(env, std::current_exception());
  }
}

}  // namespace fer::bindings
