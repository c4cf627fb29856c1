#pragma once
#include <cstdint>

#ifdef __CUDACC__
#define FER_DEVICE __host__ __device__
#else
#define FER_DEVICE
#endif

// Kernels of a GPU as plain structs, so that what a GPU runs can be run, over the same launch, by the tests of a
// machine that has none. A kernel is
//   struct Shared   memory that the threads of a block share; holds anything at first
//   struct Own      what a thread keeps from one phase to the next
//   int phases() const
//   void run(int phase, const Thread&, Shared&, Own&) const
// All threads of a block have done with a phase before any begins the next; that is all that may be relied on.
namespace fer {

/// How many threads compute a kernel: `blocks` of `threads` each.
struct Launch {
  int64_t blocks;
  int threads;
};

/// One of them: `index` of `count` in `block` of `blocks`.
struct Thread {
  int64_t block, blocks;
  int index, count;

  FER_DEVICE int64_t first_item() const { return block * count + index; }
  FER_DEVICE int64_t step() const { return blocks * count; }
};

inline constexpr int usual_threads = 256;

/// Blocks for so many items, one a thread; beyond the most blocks, threads take several.
constexpr Launch launch_over(int64_t items) {
  constexpr int64_t most_blocks = int64_t{1} << 16;
  const int64_t blocks = (items + usual_threads - 1) / usual_threads;
  return {blocks < 1 ? 1 : blocks > most_blocks ? most_blocks : blocks, usual_threads};
}

/// A kernel of items that know nothing of each other: `item(i)` for i in [0, count).
template <typename Item>
struct Each {
  Item item;
  int64_t count;

  struct Shared {};
  struct Own {};
  FER_DEVICE int phases() const { return 1; }
  FER_DEVICE void run(int, const Thread& thread, Shared&, Own&) const {
    for (int64_t i = thread.first_item(); i < count; i += thread.step()) item(i);
  }
};

/// Several values side by side, read and written at once: what a GPU does best is 16 bytes a thread.
template <typename T, int count>
struct alignas(sizeof(T) * count) Pack {
  T values[count];
};

template <int count, typename T>
FER_DEVICE Pack<T, count> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, count>*>(from);
}
template <int count, typename T>
FER_DEVICE void store_pack(const Pack<T, count>& pack, T* to) {
  *reinterpret_cast<Pack<T, count>*>(to) = pack;
}

}  // namespace fer
