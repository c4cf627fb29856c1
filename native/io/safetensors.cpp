#include "io/safetensors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace fer {
namespace {

/// A file that appears under its name only once it is whole.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail();
  }

  ~AtomicFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }

  void write(const void* data, size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const auto written = ::write(descriptor_, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      bytes += written;
      size -= static_cast<size_t>(written);
    }
  }

  void commit() {
    if (::fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  [[noreturn]] void fail() const {
    const int reason = errno;
    const bool full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
    const char* cure = full ? "Free space, or choose another folder" : "Choose a folder that can be written";
    throw Error("ERR_OUTPUT", "Cannot write `" + path_ + "`: " + std::strerror(reason) + ". " + cure);
  }

  std::string path_;
  std::string temporary_;
  int descriptor_;
};

}  // namespace

void write_safetensors(const std::string& path, const std::string& prefix, const std::vector<NamedTensor>& tensors,
                       at::ScalarType dtype) {
  AtomicFile file(path);
  file.write(prefix.data(), prefix.size());
  for (const auto& entry : tensors) {
    const auto& tensor = entry.tensor;
    const auto dense = (tensor.is_floating_point() ? tensor.to(dtype) : tensor).contiguous();
    file.write(dense.const_data_ptr(), dense.nbytes());
  }
  file.commit();
}

}  // namespace fer
