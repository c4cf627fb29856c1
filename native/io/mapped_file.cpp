#include "io/mapped_file.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace fer {
namespace {

/// Bytes of a tensor, or a number larger than any file where a dimension is negative or the product overflows.
size_t bytes_of(const std::vector<int64_t>& shape, size_t item) {
  size_t bytes = item;
  for (const int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(side), &bytes)) return SIZE_MAX;
  }
  return bytes;
}

}  // namespace

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (descriptor < 0 || ::fstat(descriptor, &info) != 0 || info.st_size == 0) {
    const std::string reason = descriptor < 0 ? std::strerror(errno) : "it is empty";
    if (descriptor >= 0) ::close(descriptor);
    throw Error("ERR_BAD_MODEL", "Cannot read `" + path + "`: " + reason);
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  ::close(descriptor);
  if (data == MAP_FAILED) throw Error("ERR_BAD_MODEL", "Cannot map `" + path + "`: " + std::strerror(errno));
  return std::shared_ptr<MappedFile>(new MappedFile(path, data, size));
}

MappedFile::~MappedFile() { ::munmap(data_, size_); }

at::Tensor MappedFile::tensor(size_t offset, const std::vector<int64_t>& shape, at::ScalarType dtype) {
  const size_t bytes = bytes_of(shape, at::elementSize(dtype));
  if (offset > size_ || bytes > size_ - offset) {
    throw Error("ERR_BAD_MODEL",
                "A tensor of `" + path_ + "` lies outside the file: it is truncated. Copy or make it anew");
  }
  auto* start = static_cast<char*>(data_) + offset;
  return at::from_blob(
      start, shape, [self = shared_from_this()](void*) {}, at::TensorOptions().dtype(dtype));
}

}  // namespace fer
