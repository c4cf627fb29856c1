#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "core/pages.h"

namespace fer {

/// Keeps the memory of large tensors for the next ones of that size. The C library gives blocks of 32 MB and more back
/// to the system at once, and fetching the pages of a step's anew takes a tenth of its time.
class MemoryPool {
 public:
  /// While it lives, large tensors that this thread makes lie in the pool. They may outlive both, and die on any
  /// thread.
  class Scope {
   public:
    explicit Scope(std::shared_ptr<MemoryPool> pool);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    std::shared_ptr<MemoryPool> previous_;
  };

  struct Block {
    Pages memory;
    size_t bytes;
  };
  Block take(size_t bytes);
  void give_back(Block block);

 private:
  std::mutex mutex_;
  std::multimap<size_t, Pages> free_;
};

}  // namespace fer
