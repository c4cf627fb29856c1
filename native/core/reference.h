#pragma once

namespace fer {

/// While one lives, operators of training that have a fast path take the slow one on this thread: LibTorch's own, one
/// after the other, which they are held against.
class ReferenceScope {
 public:
  ReferenceScope() : previous_(active_) { active_ = true; }
  ~ReferenceScope() { active_ = previous_; }
  ReferenceScope(const ReferenceScope&) = delete;
  ReferenceScope& operator=(const ReferenceScope&) = delete;

  static bool active() { return active_; }

 private:
  static inline thread_local bool active_ = false;
  bool previous_;
};

}  // namespace fer
