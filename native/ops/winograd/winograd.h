#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// Convolutions of 3 x 3, stride 1, padding 1 by minimal filtering, F(4 x 4, 3 x 3) (Winograd 1980; Lavin & Gray, arXiv
/// 1509.09308): a tile of 4 x 4 outputs takes 36 multiplications a pair of channels instead of 144.
namespace winograd {

/// Whether these can be computed so: channels of both sides in sixteens, and a processor with AVX-512.
bool applies(const at::Tensor& weight, int64_t stride, int64_t padding);

/// (O, I, 3, 3) -> (36, I, O), what `convolution` reads.
at::Tensor transform_weight(const at::Tensor& weight);

/// input (N, I, H, W) float32, channels-last -> activation(convolution + bias + addend) (N, O, H, W), channels-last.
/// `addend` may be undefined; where it is not, the result lies in its memory.
at::Tensor convolution(const at::Tensor& input, const at::Tensor& transformed_weight, const at::Tensor& bias,
                       const at::Tensor& addend, bool relu);

}  // namespace winograd
}  // namespace fer
