#include "io/tensor_file.h"

#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace fer {
namespace {

/// Items from the first to the last that a view of this shape touches; -1 where a side is negative or the number
/// overflows.
int64_t extent_of(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0 || strides[i] < 0) return -1;
    if (shape[i] == 0) return 0;
    int64_t reach = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) || __builtin_add_overflow(last, reach, &last)) {
      return -1;
    }
  }
  return last == INT64_MAX ? -1 : last + 1;
}

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    if (__builtin_mul_overflow(stride, std::max<int64_t>(shape[i], 1), &stride)) stride = INT64_MAX;
  }
  return strides;
}

}  // namespace

std::shared_ptr<TensorFile> TensorFile::share(int descriptor, std::string path) {
  const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  struct stat info {};
  if (own < 0 || ::fstat(own, &info) != 0) {
    const std::string reason = std::strerror(errno);
    if (own >= 0) ::close(own);
    throw Error("ERR_BAD_MODEL", "Cannot read `" + path + "`: " + reason);
  }
  return std::shared_ptr<TensorFile>(new TensorFile(own, std::move(path), info.st_size));
}

TensorFile::~TensorFile() { ::close(descriptor_); }

std::vector<TensorSource> TensorFile::sources(const std::vector<TensorPlace>& places) {
  std::vector<TensorSource> sources;
  for (const auto& place : places) {
    sources.push_back(
        {place.name, place.dtype, place.shape, [self = shared_from_this(), place] { return self->read(place); }});
  }
  return sources;
}

at::Tensor TensorFile::read(const TensorPlace& place) const {
  const auto strides = place.strides.empty() ? row_major(place.shape) : place.strides;
  const int64_t extent = strides.size() == place.shape.size() ? extent_of(place.shape, strides) : -1;
  const auto item = static_cast<int64_t>(at::elementSize(place.dtype));
  const bool inside =
      extent >= 0 && place.offset >= 0 && place.offset <= size_ && extent <= (size_ - place.offset) / item;
  const auto truncated = [&] {
    return Error("ERR_BAD_MODEL",
                 "Tensor `" + place.name + "` of `" + path_ + "` lies outside the file: it is truncated");
  };
  if (!inside) throw truncated();
  auto items = at::empty({extent}, at::TensorOptions().dtype(place.dtype));
  auto* bytes = static_cast<char*>(items.mutable_data_ptr());
  for (int64_t done = 0; done < extent * item;) {
    const auto count =
        ::pread(descriptor_, bytes + done, static_cast<size_t>(extent * item - done), place.offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error("ERR_BAD_MODEL", "Cannot read `" + path_ + "`: " + std::strerror(errno));
    if (count == 0) throw truncated();
    done += count;
  }
  return items.as_strided(place.shape, strides);
}

}  // namespace fer
