#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/pixel_shuffle.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "core/error.h"
#include "ops/de_albino/de_albino.h"

namespace fer {
namespace {

void check_shapes(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings) {
  const auto area = settings.upscale * settings.upscale;
  TORCH_CHECK(features.dim() == 4, "de_albino: expected features of shape (N, C, h, w), got ", features.sizes());
  TORCH_CHECK(kernel.dim() == 2 && kernel.size(0) == kernel.size(1),
              "de_albino: expected a square kernel of shape (k, k), got ", kernel.sizes());
  TORCH_CHECK(features.size(1) >= area && features.size(1) % area == 0, "de_albino: expected channels divisible by ",
              area, ", got ", features.size(1));
  TORCH_CHECK(
      settings.upscale * features.size(2) >= kernel.size(0) && settings.upscale * features.size(3) >= kernel.size(1),
      "de_albino: the kernel of side ", kernel.size(0), " does not fit on features of ", features.size(2), " x ",
      features.size(3), " arranged by ", settings.upscale);
  TORCH_CHECK(features.scalar_type() == kernel.scalar_type(),
              "de_albino: expected features and kernel of one type, got ", features.scalar_type(), " and ",
              kernel.scalar_type());
}

class DeAlbinoFunction : public torch::autograd::Function<DeAlbinoFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& features,
                            const at::Tensor& kernel) {
    context->save_for_backward({features, kernel});
    return de_albino_kernels::forward(features, kernel);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    auto result = de_albino_kernels::backward(gradients[0], saved[0], saved[1]);
    return {result.features, result.kernel};
  }
};

at::Tensor de_albino_plain(const at::Tensor& features, const at::Tensor& kernel, int64_t upscale, int64_t stride) {
  const DeAlbinoSettings settings{upscale, stride};
  check_shapes(features, kernel, settings);
  if (!de_albino_kernels::applies(features, kernel, settings)) return de_albino_composite(features, kernel, settings);
  return de_albino_kernels::forward(features, kernel);
}

at::Tensor de_albino_autograd(const at::Tensor& features, const at::Tensor& kernel, int64_t upscale, int64_t stride) {
  const DeAlbinoSettings settings{upscale, stride};
  check_shapes(features, kernel, settings);
  // The composite is made of operators that have their own derivatives.
  if (!de_albino_kernels::applies(features, kernel, settings)) return de_albino_composite(features, kernel, settings);
  return DeAlbinoFunction::apply(features, kernel);
}

at::Tensor de_albino_autocast(const at::Tensor& features, const at::Tensor& kernel, int64_t upscale, int64_t stride) {
  const auto device = features.device().type();
  c10::impl::ExcludeDispatchKeyGuard no_autocast(at::autocast::get_autocast_dispatch_key_from_device_type(device));
  const auto dtype = at::autocast::get_autocast_dtype(device);
  const auto cast = [&](const at::Tensor& tensor) { return at::autocast::cached_cast(dtype, tensor, device); };
  return de_albino(cast(features), cast(kernel), {upscale, stride});
}

}  // namespace

at::Tensor de_albino(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings) {
  static const auto handle = c10::Dispatcher::singleton()
                                 .findSchemaOrThrow("fer_torch::de_albino", "")
                                 .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, int64_t)>();
  return handle.call(features, kernel, settings.upscale, settings.stride);
}

at::Tensor de_albino_composite(const at::Tensor& features, const at::Tensor& kernel, DeAlbinoSettings settings) {
  const auto arranged = at::pixel_shuffle(features, settings.upscale);  // (N, m, upscale h, upscale w)
  const auto maps = arranged.flatten(0, 1).unsqueeze(1);                // one shared kernel: maps become images
  const auto output = at::conv2d(maps, kernel.view({1, 1, kernel.size(0), kernel.size(1)}), {}, settings.stride);
  return output.view({arranged.size(0), arranged.size(1), output.size(2), output.size(3)});
}

TORCH_LIBRARY(fer_torch, library) {
  library.def("de_albino(Tensor features, Tensor kernel, int upscale=16, int stride=8) -> Tensor");
}
// The same for every device: what differs is below, in the kernels.
TORCH_LIBRARY_IMPL(fer_torch, CPU, library) { library.impl("de_albino", de_albino_plain); }
TORCH_LIBRARY_IMPL(fer_torch, AutogradCPU, library) { library.impl("de_albino", de_albino_autograd); }
TORCH_LIBRARY_IMPL(fer_torch, AutocastCPU, library) { library.impl("de_albino", de_albino_autocast); }
TORCH_LIBRARY_IMPL(fer_torch, CUDA, library) { library.impl("de_albino", de_albino_plain); }
TORCH_LIBRARY_IMPL(fer_torch, AutogradCUDA, library) { library.impl("de_albino", de_albino_autograd); }
TORCH_LIBRARY_IMPL(fer_torch, AutocastCUDA, library) { library.impl("de_albino", de_albino_autocast); }

}  // namespace fer
