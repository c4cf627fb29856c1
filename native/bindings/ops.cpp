#include "bindings/ops.h"

#include <c10/core/InferenceMode.h>

#include "bindings/convert.h"
#include "inference/roof.h"
#include "ops/arm/arm.h"
#include "ops/preprocess/preprocess.h"
#include "ops/resize/resize.h"

namespace fer::bindings {
namespace {

/// A result that is only a view of what JavaScript passed in must not outlive that: it is copied.
at::Tensor apart_from(const at::Tensor& input, const at::Tensor& result) {
  return result.is_alias_of(input) ? result.clone() : result;
}

/// Runs a kernel on the compute thread and gives its tensor.
Napi::Value compute(Napi::Env env, Keep keep, std::function<at::Tensor()> kernel) {
  return Environment::of(env).submit(compute_worker(), nullptr, std::move(keep), [kernel = std::move(kernel)] {
    c10::InferenceMode inference;
    return [result = kernel().contiguous()](Napi::Env env) -> Napi::Value { return from_tensor(env, result); };
  });
}

ArmWeights to_arm_weights(const Fields& fields, Keep& keep) {
  const auto tensor = [&](const char* name) {
    return fields.has(name) ? to_tensor(fields.at(name), keep) : at::Tensor();
  };
  return {.kernel = to_tensor(fields.at("kernel"), keep),
          .norm_weight = to_tensor(fields.at("normWeight"), keep),
          .norm_bias = to_tensor(fields.at("normBias"), keep),
          .norm_mean = to_tensor(fields.at("normMean"), keep),
          .norm_variance = to_tensor(fields.at("normVariance"), keep),
          .alpha = tensor("alpha"),
          .generic = tensor("generic")};
}

}  // namespace

Napi::Value arm(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Keep keep;
    const auto features = to_tensor(info[0], keep);
    const auto weights = to_arm_weights(Fields(info[1]), keep);
    return compute(info.Env(), std::move(keep), [=] { return fer::arm(features.permute({0, 3, 1, 2}), weights); });
  });
}

Napi::Value resize(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Keep keep;
    const auto pixels = to_tensor(info[0], keep);
    const auto height = info[1].ToNumber().Int64Value(), width = info[2].ToNumber().Int64Value();
    return compute(info.Env(), std::move(keep), [=] { return apart_from(pixels, fer::resize(pixels, height, width)); });
  });
}

Napi::Value to_color(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Keep keep;
    const auto pixels = to_tensor(info[0], keep);
    const auto color = info[1].ToString().Utf8Value() == "grey" ? Color::grey : Color::rgb;
    return compute(info.Env(), std::move(keep), [=] { return apart_from(pixels, fer::to_color(pixels, color)); });
  });
}

Napi::Value measure_matrix_product(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .submit(compute_worker(), nullptr, {},
                [precision = parse_precision(info[0].ToString(), at::kCPU), side = info[1].ToNumber().Int64Value()] {
                  return [seconds = measure_product(precision, side)](Napi::Env env) -> Napi::Value {
                    return Napi::Number::New(env, seconds);
                  };
                });
  });
}

Napi::Function BackboneWrap::define(Napi::Env env) {
  return DefineClass(env, "Backbone", {InstanceMethod<&BackboneWrap::forward>("forward")});
}

BackboneWrap::BackboneWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    Keep keep;
    extractor_ = std::make_shared<Extractor>(info[0].ToString(), info[1].ToString(), to_named_tensors(info[2], keep));
  });
}

Napi::Value BackboneWrap::forward(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Keep keep;
    const auto images = to_tensor(info[0], keep);
    const auto precision = parse_precision(info[1].ToString(), at::kCPU);
    return compute(info.Env(), std::move(keep), [images, precision, extractor = extractor_] {
      return extractor->forward(images.permute({0, 3, 1, 2}), precision).permute({0, 2, 3, 1});
    });
  });
}

}  // namespace fer::bindings
