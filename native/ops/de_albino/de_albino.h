#pragma once
#include "core/by_device.h"

namespace fer {

/// The settings of the paper (arXiv 2103.10189, section 3): shuffle by 16, kernel 32 x 32, stride 8.
struct DeAlbinoSettings {
  int64_t upscale = 16;
  int64_t stride = 8;
};

/// Feature arrangement and de-albino in one, the registered operator `fer_torch::de_albino`.
/// features: (N, C, h, w), C divisible by upscale^2; kernel: (k, k), shared by all m = C / upscale^2 maps.
/// Returns (N, m, s, s), s = (upscale * h - k) / stride + 1. No bias. Differentiable once in both arguments.
/// At the paper's settings it is one matrix product on the memory of channels-last features.
at::Tensor de_albino(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings = {});

/// The same by its definition, pixel shuffle and convolution: the reference, and the fallback for other settings.
at::Tensor de_albino_composite(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings = {});

/// Side of the output for a feature map of this side at the paper's settings: 2 side - 3.
constexpr int64_t de_albino_side(int64_t side) { return 2 * side - 3; }

namespace de_albino_kernels {

/// Whether the matrix product computes these settings.
bool applies(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings);

struct Gradients {
  at::Tensor features;  // (N, C, h, w), channels-last
  at::Tensor kernel;    // (32, 32)
};
/// features, kernel -> (N, m, s, s).
extern ByDevice<at::Tensor(const at::Tensor&, const at::Tensor&)> forward;
/// The gradient of that, features, kernel.
extern ByDevice<Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&)> backward;

/// Channels-last features as the matrix's rows (N h w m, 256), without a copy where they are so already; and back.
at::Tensor as_rows(const at::Tensor& features);
at::Tensor as_map(const at::Tensor& rows, const at::Tensor& features);

}  // namespace de_albino_kernels
}  // namespace fer
