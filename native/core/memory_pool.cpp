#include "core/memory_pool.h"

#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <unordered_map>
#include <utility>

namespace fer {
namespace {

constexpr size_t large = 1 << 20;

thread_local std::shared_ptr<MemoryPool> current;

/// The blocks that tensors lie in, by address. LibTorch frees some by their address alone.
class Lent {
 public:
  void* add(std::shared_ptr<MemoryPool> pool, MemoryPool::Block block) {
    void* data = block.memory.get();
    std::lock_guard lock(mutex_);
    blocks_.emplace(data, Entry{std::move(pool), std::move(block)});
    return data;
  }
  /// Whether it was one of these.
  bool give_back(void* data) {
    if (reinterpret_cast<uintptr_t>(data) % page_bytes != 0) return false;
    std::unique_lock lock(mutex_);
    auto entry = blocks_.extract(data);
    lock.unlock();
    if (!entry) return false;
    entry.mapped().pool->give_back(std::move(entry.mapped().block));
    return true;
  }

 private:
  struct Entry {
    std::shared_ptr<MemoryPool> pool;
    MemoryPool::Block block;
  };
  std::mutex mutex_;
  std::unordered_map<void*, Entry> blocks_;
};

Lent& lent() {
  static auto* all = new Lent;  // never destroyed: tensors may be later than that
  return *all;
}

void release(void* data) {
  if (!lent().give_back(data)) c10::GetDefaultCPUAllocator()->raw_deallocate(data);
}

/// LibTorch's own allocator, but within a scope for what is large.
class PoolAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = bytes < large || !current ? c10::GetDefaultCPUAllocator()->raw_allocate(bytes)
                                           : lent().add(current, current->take(bytes));
    return {data, data, release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};

PoolAllocator allocator;
[[maybe_unused]] const bool chosen = (c10::SetCPUAllocator(&allocator, /*priority=*/1), true);

}  // namespace

MemoryPool::Scope::Scope(std::shared_ptr<MemoryPool> pool) : previous_(std::exchange(current, std::move(pool))) {}
MemoryPool::Scope::~Scope() { current = std::move(previous_); }

MemoryPool::Block MemoryPool::take(size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    // Not much larger than asked for: a larger one is wanted again for what fills it.
    const auto found = free_.lower_bound(bytes);
    if (found != free_.end() && found->first <= bytes + bytes / 8) {
      Block block{std::move(found->second), found->first};
      free_.erase(found);
      return block;
    }
  }
  return {take_pages(bytes), bytes};
}

void MemoryPool::give_back(Block block) {
  std::lock_guard lock(mutex_);
  free_.emplace(block.bytes, std::move(block.memory));
}

}  // namespace fer
