#pragma once
#include <napi.h>

#include "data/image_set.h"

namespace fer::bindings {

/// JavaScript: `new ImageSet(source, labels, targets?)`. The source is { path, offset, shape } in a packed file, which
/// is mapped, or a Tensor (N, H, W, C), read in place and kept alive. Labels are an Int32Array, targets a Tensor (N, K)
/// float32, which is copied.
class ImageSetWrap : public Napi::ObjectWrap<ImageSetWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  static const ImageSet& of(const Napi::Value& value) { return Unwrap(value.As<Napi::Object>())->images_; }

  explicit ImageSetWrap(const Napi::CallbackInfo& info);

 private:
  ImageSet images_;
  Napi::ObjectReference data_;
};

}  // namespace fer::bindings
