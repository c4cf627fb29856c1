#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "core/launch.h"

// Runs the kernels of a GPU where there is none: the same functions, over the same blocks, threads and phases.
namespace fer {

/// In which the threads of a block come to their turn, within each phase. A kernel must give the same in any.
enum class Order { forward, backward, shuffled };
inline constexpr Order orders[] = {Order::forward, Order::backward, Order::shuffled};

inline std::vector<int> turns_of(int threads, Order order) {
  std::vector<int> turns(static_cast<size_t>(threads));
  std::iota(turns.begin(), turns.end(), 0);
  if (order == Order::backward) std::ranges::reverse(turns);
  if (order == Order::shuffled) std::ranges::shuffle(turns, std::mt19937(7));
  return turns;
}

/// Memory that holds what makes numbers of most types wrong and those of floating point NaN, as a GPU's may.
template <typename T>
T rubbish() {
  T value;
  std::memset(static_cast<void*>(&value), 0xFF, sizeof(T));
  return value;
}

template <typename Kernel>
void run_on_host(const Kernel& kernel, Launch by, Order order = Order::forward) {
  const auto turns = turns_of(by.threads, order);
  for (int64_t block = 0; block < by.blocks; ++block) {
    const auto shared = std::make_unique<typename Kernel::Shared>(rubbish<typename Kernel::Shared>());
    std::vector<typename Kernel::Own> own(turns.size(), rubbish<typename Kernel::Own>());
    for (int phase = 0; phase < kernel.phases(); ++phase) {
      for (const int index : turns) {
        kernel.run(phase, {block, by.blocks, index, by.threads}, *shared, own[static_cast<size_t>(index)]);
      }
    }
  }
}

template <typename Item>
void run_each_on_host(const Item& item, int64_t count, Order order = Order::forward) {
  run_on_host(Each<Item>{item, count}, launch_over(count), order);
}

}  // namespace fer
