#include "core/pages.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace fer {

Pages take_pages(size_t bytes) {
  const size_t whole = (bytes + page_bytes - 1) / page_bytes * page_bytes;
  Pages memory(static_cast<std::byte*>(std::aligned_alloc(page_bytes, whole)));
  if (!memory) throw std::bad_alloc();
#ifdef __linux__
  madvise(memory.get(), whole, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace fer
