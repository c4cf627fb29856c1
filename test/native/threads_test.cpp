#include "core/threads.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

namespace fer {
namespace {

/// On a thread of its own, which begins as every thread does: how many threads share a loop.
int threads_of_a_loop(const std::function<void()>& before) {
  std::atomic<int> most = 0;
  std::thread([&] {
    before();
    at::parallel_for(0, 64, 1, [&](int64_t, int64_t) {
      for (int seen = most;
           seen <= at::get_thread_num() && !most.compare_exchange_weak(seen, at::get_thread_num() + 1);) {
      }
    });
  }).join();
  return most;
}

TEST(Threads, ALoopTakesAllOfThemUnlessItsThreadIsToComputeAlone) {
  EXPECT_EQ(threads_of_a_loop([] {}), compute_threads());
  EXPECT_EQ(threads_of_a_loop(compute_alone), 1);
  // It holds for that thread only.
  EXPECT_EQ(threads_of_a_loop([] {}), compute_threads());
}

}  // namespace
}  // namespace fer
