#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace fer {

struct FreePages {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Pages = std::unique_ptr<std::byte[], FreePages>;

inline constexpr size_t page_bytes = size_t{2} << 20;

/// Memory for much data, aligned to pages of 2 MB and where the system can made of them, which are fewer to fetch and
/// to look up. std::bad_alloc where there is none.
Pages take_pages(size_t bytes);

}  // namespace fer
