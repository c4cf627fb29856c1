#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "core/launch_cuda.cuh"
#include "data/augment_batch.h"

namespace fer {
namespace {

at::Tensor augment_cuda(const PictureBatch& batch, const InputFormat& format, at::ScalarType dtype, at::Device device) {
  const auto send = [&](const at::Tensor& tensor) { return tensor.to(device, /*non_blocking=*/true); };
  const auto pixels = send(batch.pixels(/*pinned=*/true)), placed = send(batch.placed(/*pinned=*/true));
  const auto quantiles =
      send(at::from_blob(const_cast<float*>(noise_quantiles()), {quantile_count}, at::TensorOptions(at::kFloat)));
  const auto options = at::TensorOptions().device(device);
  auto means = at::empty({batch.size()}, options.dtype(at::kFloat));
  auto output = at::empty({batch.size(), format.size, format.size, 3}, options.dtype(dtype));
  const auto* pictures = reinterpret_cast<const Placed*>(placed.const_data_ptr<uint8_t>());
  launch(NoiseAndMean{pixels.mutable_data_ptr<uint8_t>(), pictures, quantiles.const_data_ptr<float>(),
                      means.mutable_data_ptr<float>()},
         NoiseAndMean::launch(batch.size()));
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, dtype, "augment", [&] {
    launch_each(Resample<scalar_t>{pixels.const_data_ptr<uint8_t>(), pictures, means.const_data_ptr<float>(),
                                   format.size, output.mutable_data_ptr<scalar_t>()},
                output.numel() / 3);
  });
  return output;
}

[[maybe_unused]] const bool built = (augment_on_gpu = augment_cuda, true);

}  // namespace
}  // namespace fer
