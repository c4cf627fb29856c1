#pragma once
#include <cstdint>

#include "core/pages.h"

namespace fer {

/// Memory that is kept from call to call and only grows, for one thread: taken anew each time, its pages would be too.
class Scratch {
 public:
  /// Holding anything.
  float* take(int64_t count) {
    if (count > size_) {
      size_ = 0;
      memory_.reset();
      memory_ = take_pages(static_cast<size_t>(count) * sizeof(float));
      size_ = count;
    }
    return reinterpret_cast<float*>(memory_.get());
  }

 private:
  Pages memory_;
  int64_t size_ = 0;
};

}  // namespace fer
