#pragma once
#include <napi.h>

#include <memory>

#include "models/extractor.h"

namespace fer::bindings {

/// arm(features (N, h, w, C), weights) -> Promise of (N, s, s)
Napi::Value arm(const Napi::CallbackInfo& info);
/// resize(pixels (N, H, W, C), height, width) -> Promise of (N, height, width, C)
Napi::Value resize(const Napi::CallbackInfo& info);
/// toColor(pixels (N, H, W, C) uint8, 'grey' | 'rgb') -> Promise
Napi::Value to_color(const Napi::CallbackInfo& info);
/// measureMatrixProduct(precision, side) -> Promise of seconds
Napi::Value measure_matrix_product(const Napi::CallbackInfo& info);

/// JavaScript: `new Backbone(name, stem, tensors)` with `forward(images (N, H, W, 3) float32, precision)` -> Promise of
/// the feature map (N, h, w, C).
class BackboneWrap : public Napi::ObjectWrap<BackboneWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit BackboneWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value forward(const Napi::CallbackInfo& info);

  std::shared_ptr<Extractor> extractor_;
};

}  // namespace fer::bindings
