#pragma once
#include <cstdint>

#include "core/launch.h"

namespace fer {

/// Block `block` of a stream of Philox 4x32-10 (Salmon et al., SC 2011): four words of 32 bits.
struct PhiloxBlock {
  uint32_t words[4];

  FER_DEVICE PhiloxBlock(uint64_t key, uint64_t stream, uint64_t block)
      : words{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(stream),
              static_cast<uint32_t>(stream >> 32)} {
    auto first_key = static_cast<uint32_t>(key), second_key = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t first = uint64_t{0xD2511F53} * words[0], second = uint64_t{0xCD9E8D57} * words[2];
      words[0] = static_cast<uint32_t>(second >> 32) ^ words[1] ^ first_key;
      words[2] = static_cast<uint32_t>(first >> 32) ^ words[3] ^ second_key;
      words[1] = static_cast<uint32_t>(second);
      words[3] = static_cast<uint32_t>(first);
      first_key += 0x9E3779B9;
      second_key += 0xBB67AE85;
    }
  }
};

}  // namespace fer
