#pragma once
#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

#include "core/vectorize.h"

// Sixteen numbers at once, computed with in float32 whatever they are kept as. Everything that takes or gives them is
// inlined, so their way of being passed, about which the compiler warns, is of no consequence.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace fer {

inline constexpr int64_t lanes = 16;
using Lanes = float __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float))));

namespace lanes_detail {

using Bits = uint32_t __attribute__((vector_size(lanes * sizeof(uint32_t)), aligned(sizeof(uint32_t))));
using HalfBits = uint16_t __attribute__((vector_size(lanes * sizeof(uint16_t)), aligned(sizeof(uint16_t))));

template <typename To, typename From>
FER_INLINE To same_bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

}  // namespace lanes_detail

FER_INLINE Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }

FER_INLINE Lanes load(const c10::BFloat16* from) {
  using namespace lanes_detail;
  return same_bits<Lanes>(__builtin_convertvector(*reinterpret_cast<const HalfBits*>(from), Bits) << 16);
}

FER_INLINE void store(const Lanes& value, float* to) { *reinterpret_cast<Lanes*>(to) = value; }

/// Rounds to the nearest, ties to even, as LibTorch does.
FER_INLINE void store(const Lanes& value, c10::BFloat16* to) {
  using namespace lanes_detail;
  const auto bits = same_bits<Bits>(value);
  const Bits rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const Bits not_a_number = Bits{} + 0x7FC0;
  const Bits kept = value == value ? rounded : not_a_number;
  *reinterpret_cast<HalfBits*>(to) = __builtin_convertvector(kept, HalfBits);
}

/// As written, it lets what is not a number through.
FER_INLINE Lanes rectified(const Lanes& value) { return value < 0 ? Lanes{} : value; }

}  // namespace fer
