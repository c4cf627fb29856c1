#include <gtest/gtest.h>
#include <torch/torch.h>

#include <thread>

#include "core/memory_pool.h"
#include "core/random.h"
#include "core/scratch.h"

namespace fer {
namespace {

constexpr int64_t large = 1 << 20;  // floats: 4 MB

TEST(MemoryPool, GivesTheMemoryOfALargeTensorToTheNextOfItsSize) {
  const auto pool = std::make_shared<MemoryPool>();
  const MemoryPool::Scope scope(pool);
  const auto* first = at::empty({large}).const_data_ptr();
  EXPECT_EQ(at::empty({large}).const_data_ptr(), first);
  const auto kept = at::empty({large});
  EXPECT_NE(at::empty({large}).const_data_ptr(), kept.const_data_ptr());
  EXPECT_NE(at::empty({3 * large}).const_data_ptr(), first) << "a block that is too small";
  EXPECT_NE(at::empty({large / 2}).const_data_ptr(), first) << "a block that would mostly lie idle";
}

TEST(MemoryPool, LeavesOtherThreadsAndSmallTensorsAlone) {
  const auto pool = std::make_shared<MemoryPool>();
  const MemoryPool::Scope scope(pool);
  const auto* first = at::empty({large}).const_data_ptr();
  std::thread([first] { EXPECT_NE(at::empty({large}).const_data_ptr(), first); }).join();
  EXPECT_NE(at::empty({16}).const_data_ptr(), first);
}

TEST(MemoryPool, TensorsOutliveItAndDieAnywhere) {
  at::Tensor kept;
  {
    const MemoryPool::Scope scope(std::make_shared<MemoryPool>());
    kept = at::full({large}, 7.0F);
  }
  EXPECT_EQ(kept.sum().item<float>(), 7.0F * large);
  std::thread([tensor = std::move(kept)]() mutable { tensor.reset(); }).join();
}

TEST(MemoryPool, ScopesNest) {
  const auto outer = std::make_shared<MemoryPool>(), inner = std::make_shared<MemoryPool>();
  const MemoryPool::Scope scope(outer);
  const auto* first = at::empty({large}).const_data_ptr();
  {
    const MemoryPool::Scope within(inner);
    EXPECT_NE(at::empty({large}).const_data_ptr(), first);
  }
  EXPECT_EQ(at::empty({large}).const_data_ptr(), first);
}

TEST(Scratch, KeepsItsMemoryUntilMoreIsWanted) {
  Scratch scratch;
  auto* first = scratch.take(1000);
  first[999] = 1;
  EXPECT_EQ(scratch.take(10), first);
  auto* more = scratch.take(large);
  more[large - 1] = 1;
  EXPECT_EQ(scratch.take(1000), more);
}

TEST(DrawWords, AreThoseOfLibTorchsPhilox) {
  // LibTorch gives a block's four words one after the other; ours lie as sixteen first words, sixteen second words, ...
  constexpr uint64_t key = 0x123456789ABCDEF0, stream = 0xFEDCBA98765;
  uint32_t words[128];
  draw_words(key, stream, 0, 128, words);
  at::Philox4_32 philox(key, stream);
  for (int block = 0; block < 32; ++block) {
    for (int word = 0; word < 4; ++word) {
      EXPECT_EQ(words[block / 16 * 64 + word * 16 + block % 16], philox()) << block << " " << word;
    }
  }
  uint32_t later[64];
  draw_words(key, stream, 64, 64, later);
  EXPECT_TRUE(std::equal(later, later + 64, words + 64));
}

}  // namespace
}  // namespace fer
