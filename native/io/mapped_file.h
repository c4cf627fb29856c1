#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace fer {

/// A file read through memory: the tensors it hands out share its pages and keep it mapped.
class MappedFile : public std::enable_shared_from_this<MappedFile> {
 public:
  static std::shared_ptr<MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Throws ERR_BAD_MODEL where the tensor does not lie wholly inside the file. Read-only.
  at::Tensor tensor(size_t offset, const std::vector<int64_t>& shape, at::ScalarType dtype);

 private:
  MappedFile(std::string path, void* data, size_t size) : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  void* data_;
  size_t size_;
};

}  // namespace fer
