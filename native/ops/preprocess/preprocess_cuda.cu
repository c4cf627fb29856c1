#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>

#include "core/launch_cuda.cuh"
#include "ops/preprocess/preprocess_kernels.h"

namespace fer::preprocess_kernels {
namespace {

at::Tensor grey_cuda(const at::Tensor& pixels) {
  const auto dense = pixels.contiguous();
  auto grey = at::empty({dense.size(0), dense.size(1), dense.size(2), 1}, dense.options());
  launch_each(Grey{dense.const_data_ptr<uint8_t>(), grey.mutable_data_ptr<uint8_t>()}, grey.numel());
  return grey;
}

at::Tensor normalise_cuda(const at::Tensor& pixels, const Normalization& normalization, const Encoding& encoding) {
  const auto channels = pixels.size(3), count = pixels.numel() / channels;
  auto output = at::empty({pixels.size(0), pixels.size(1), pixels.size(2), 3}, pixels.options().dtype(encoding.dtype));
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, encoding.dtype, "preprocess", [&] {
    launch_each(Normalise<scalar_t>{pixels.const_data_ptr<uint8_t>(), static_cast<int>(channels), Levels(normalization),
                                    output.mutable_data_ptr<scalar_t>()},
                count);
  });
  return output;
}

[[maybe_unused]] const bool built = (grey.cuda = grey_cuda, normalise.cuda = normalise_cuda, true);

}  // namespace
}  // namespace fer::preprocess_kernels
