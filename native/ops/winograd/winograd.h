#pragma once
#include <ATen/core/Tensor.h>

namespace fer {

/// Convolutions of 3 x 3, stride 1, padding 1 by minimal filtering, F(4 x 4, 3 x 3) (Winograd 1980; Lavin & Gray, arXiv
/// 1509.09308): a tile of 4 x 4 outputs takes 36 multiplications a pair of channels instead of 144. Maps are
/// channels-last, float32 or bfloat16; all arithmetic is float32.
namespace winograd {

/// Whether these can be computed so: channels of both sides in sixteens, and a processor with AVX-512.
bool applies(const at::Tensor& weight, int64_t stride, int64_t padding);

/// (O, I, 3, 3) float32, laid out for `convolution` once and for all.
struct Weight {
  at::Tensor planes;
  int64_t in, out;
};
Weight transform_weight(const at::Tensor& weight);

/// input (N, I, H, W) -> activation(convolution + bias + addend) (N, O, H, W) of the same type. `bias` (O) float32 and
/// `addend` may be undefined; where the latter is not, the result lies in its memory.
at::Tensor convolution(const at::Tensor& input, const Weight& weight, const at::Tensor& bias, const at::Tensor& addend,
                       bool relu);

/// The same of a weight (O, I, 3, 3) float32 that changes from call to call, and nothing else.
at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight);
/// The gradient of the output (N, O, H, W) -> that of the input (N, I, H, W).
at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight);
/// input and the gradient of the output -> that of the weight (O, I, 3, 3) float32, channels-last.
at::Tensor weight_gradient(const at::Tensor& input, const at::Tensor& gradient);

}  // namespace winograd
}  // namespace fer
