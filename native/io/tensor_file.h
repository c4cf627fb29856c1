#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "core/named_tensor.h"

namespace fer {

/// Where a tensor lies in a file.
struct TensorPlace {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in items; empty: row-major
  int64_t offset;                // of its first item, in bytes from the beginning of the file
};

/// An open file of weights. It is read, not mapped: a file cut short while it is in use gives an error, where touching
/// a mapped page that is gone would end the process.
class TensorFile : public std::enable_shared_from_this<TensorFile> {
 public:
  /// Takes a descriptor of its own beside `descriptor`, so that what TypeScript checked and what is read is one file.
  static std::shared_ptr<TensorFile> share(int descriptor, std::string path);
  ~TensorFile();
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  /// Tensors that are read when they are asked for. ERR_BAD_MODEL where one does not lie wholly inside the file.
  std::vector<TensorSource> sources(const std::vector<TensorPlace>& places);

 private:
  TensorFile(int descriptor, std::string path, int64_t size)
      : descriptor_(descriptor), path_(std::move(path)), size_(size) {}
  at::Tensor read(const TensorPlace& place) const;

  int descriptor_;
  std::string path_;
  int64_t size_;
};

}  // namespace fer
