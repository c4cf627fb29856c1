#pragma once
#include <atomic>
#include <memory>

#include "core/error.h"

namespace fer {

/// A flag that one thread raises and another polls between batches.
class Cancellation {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

  /// TypeScript replaces this error by the reason of its AbortSignal.
  void check() const {
    if (requested()) throw Error("ABORTED", "The operation was aborted");
  }

 private:
  std::atomic<bool> requested_{false};
};

using CancellationPtr = std::shared_ptr<Cancellation>;

}  // namespace fer
