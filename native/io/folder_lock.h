#pragma once
#include <memory>
#include <string>

namespace fer {

/// Holds a folder for one owner, of this process or any other on this machine, until it is destroyed or the process
/// ends, however that ends.
class FolderLock {
 public:
  /// Null where another holds the folder. Where the file system has no locks, nobody is kept out.
  static std::unique_ptr<FolderLock> acquire(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace fer
