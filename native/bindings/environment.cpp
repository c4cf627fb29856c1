#include "bindings/environment.h"

#include <c10/util/Exception.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace fer::bindings {

/// Outlives the environment, since a job may still wait in a queue when that goes.
struct Environment::Channel {
  /// False when the environment is going: the call is dropped.
  template <typename Callback>
  void call(Callback&& callback) {
    std::lock_guard lock(mutex);
    if (!closing) function.NonBlockingCall(std::forward<Callback>(callback));
  }

  bool start(const CancellationPtr& cancellation) {
    std::lock_guard lock(mutex);
    if (!closing) running.insert(cancellation);
    return !closing;
  }

  void stop(const CancellationPtr& cancellation) {
    {
      std::lock_guard lock(mutex);
      running.erase(running.find(cancellation));
    }
    changed.notify_all();
  }

  void close() {
    std::unique_lock lock(mutex);
    closing = true;
    for (const auto& cancellation : running) cancellation->request();
    changed.wait(lock, [this] { return running.empty(); });
  }

  Napi::ThreadSafeFunction function;
  std::mutex mutex;
  std::condition_variable changed;
  std::multiset<CancellationPtr> running;
  bool closing = false;
};

struct Environment::Job {
  Napi::Promise::Deferred deferred;
  CancellationPtr cancellation;
  Keep keep;
  std::function<Finish()> work;
  Finish finish = {};
  std::exception_ptr error = {};

  void run() {
    try {
      cancellation->check();
      finish = work();
    } catch (...) {
      error = std::current_exception();
    }
    // What the work holds, such as a trainer with a thread of its own, must not live on in a job that is never settled.
    work = nullptr;
  }
};

void Environment::install(Napi::Env env) { env.SetInstanceData(new Environment(env)); }

Environment::Environment(Napi::Env env) : env_(env), channel_(std::make_shared<Channel>()) {
  channel_->function =
      Napi::ThreadSafeFunction::New(env, Napi::Function(), "fer-torch", /*maxQueueSize=*/0, /*initialThreadCount=*/1);
  channel_->function.Unref(env);
  // Hooks run last first: this one stops the jobs while the channel, which has a hook of its own, is still open.
  env.AddCleanupHook([](Channel* channel) { channel->close(); }, channel_.get());
}

Napi::Promise Environment::submit(Worker& worker, CancellationPtr cancellation, Keep keep,
                                  std::function<Finish()> work) {
  if (!cancellation) cancellation = std::make_shared<Cancellation>();
  // A plain pointer: the job's references may be released on the JavaScript thread only, so `settle` owns it. A job cut
  // off by the end of its environment is never freed.
  auto* job = new Job{Napi::Promise::Deferred::New(env_), std::move(cancellation), std::move(keep), std::move(work)};
  const auto promise = job->deferred.Promise();
  if (unsettled_++ == 0) channel_->function.Ref(env_);
  worker.post([this, job, channel = channel_] {
    const auto flag = job->cancellation;
    if (!channel->start(flag)) {
      job->work = nullptr;
      return;
    }
    job->run();
    channel->call([this, job](Napi::Env, Napi::Function) { settle(std::unique_ptr<Job>(job)); });
    channel->stop(flag);
  });
  return promise;
}

void Environment::close() { channel_->close(); }

Environment::Post Environment::poster() {
  return [channel = channel_](std::function<void(Napi::Env)> function) {
    channel->call([function = std::move(function)](Napi::Env env, Napi::Function) { function(env); });
  };
}

void Environment::settle(std::unique_ptr<Job> job) {
  if (--unsettled_ == 0) channel_->function.Unref(env_);
  try {
    if (job->error) std::rethrow_exception(job->error);
    job->deferred.Resolve(job->finish(env_));
  } catch (const Napi::Error& error) {
    job->deferred.Reject(error.Value());
  } catch (...) {
    job->deferred.Reject(to_javascript(env_, std::current_exception()).Value());
  }
}

Worker& compute_worker() {
  // Never destroyed: at exit its thread may still be waiting for a job.
  static auto* worker = new Worker();
  return *worker;
}

constexpr const char* too_little_memory =
    "There is too little memory for this call. Lower `batchSize` or the size of the pictures";

Napi::Error to_javascript(Napi::Env env, const std::exception_ptr& error) {
  const auto make = [&](const std::string& code, const std::string& message) {
    auto result = Napi::Error::New(env, message);
    result.Set("code", Napi::String::New(env, code));
    return result;
  };
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return make(known.code, known.what());
  } catch (const std::bad_alloc&) {
    return make("ERR_NATIVE", too_little_memory);
  } catch (const c10::OutOfMemoryError&) {
    return make("ERR_NATIVE", too_little_memory);
  } catch (const c10::Error& torch) {
    const std::string words = torch.what_without_backtrace();
    // Of a GPU's memory it has a type of error, of this one none.
    const bool memory = words.find("can't allocate memory") != std::string::npos;
    return make("ERR_NATIVE", memory ? too_little_memory : words);
  } catch (const std::exception& other) {
    return make("ERR_NATIVE", other.what());
  }
}

}  // namespace fer::bindings
