#include "core/random.h"

#include "core/vectorize.h"

namespace fer {
namespace {

constexpr int width = 16;  // blocks side by side, so that the compiler vectorises the rounds

FER_INLINE void round(uint32_t (&counter)[4][width], uint32_t first_key, uint32_t second_key) {
  for (int i = 0; i < width; ++i) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0][i], second = uint64_t{0xCD9E8D57} * counter[2][i];
    counter[0][i] = static_cast<uint32_t>(second >> 32) ^ counter[1][i] ^ first_key;
    counter[2][i] = static_cast<uint32_t>(first >> 32) ^ counter[3][i] ^ second_key;
    counter[1][i] = static_cast<uint32_t>(second);
    counter[3][i] = static_cast<uint32_t>(first);
  }
}

}  // namespace

FER_VECTORIZED void draw_words(uint64_t key, uint64_t stream, uint64_t first, int64_t count, uint32_t* to) {
  for (int64_t done = 0; done < count; done += 4 * width) {
    uint32_t counter[4][width];
    for (int i = 0; i < width; ++i) {
      const uint64_t block = (first + static_cast<uint64_t>(done)) / 4 + static_cast<uint64_t>(i);
      counter[0][i] = static_cast<uint32_t>(block);
      counter[1][i] = static_cast<uint32_t>(block >> 32);
      counter[2][i] = static_cast<uint32_t>(stream);
      counter[3][i] = static_cast<uint32_t>(stream >> 32);
    }
    auto first_key = static_cast<uint32_t>(key), second_key = static_cast<uint32_t>(key >> 32);
    for (int r = 0; r < 10; ++r) {
      round(counter, first_key, second_key);
      first_key += 0x9E3779B9;
      second_key += 0xBB67AE85;
    }
    for (int word = 0; word < 4; ++word) {
      for (int i = 0; i < width; ++i) to[done + word * width + i] = counter[word][i];
    }
  }
}

}  // namespace fer
