#include "bindings/image_set.h"

#include <ATen/ops/from_blob.h>

#include "bindings/convert.h"
#include "io/mapped_file.h"

namespace fer::bindings {
namespace {

at::Tensor to_labels(const Napi::Value& value) {
  auto labels = value.As<Napi::Int32Array>();
  return at::from_blob(labels.Data(), {static_cast<int64_t>(labels.ElementLength())}, at::kInt).to(at::kLong);
}

}  // namespace

Napi::Function ImageSetWrap::define(Napi::Env env) { return DefineClass(env, "ImageSet", {}); }

ImageSetWrap::ImageSetWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    const Fields source(info[0]);
    const auto shape = to_integers(source.at("shape"));
    if (source.has("path")) {
      images_.pixels = MappedFile::open(source.text("path"))
                           ->tensor(static_cast<size_t>(source.integer("offset")), shape, at::kByte);
    } else {
      Keep keep;
      images_.pixels = to_tensor(info[0], keep);
      data_ = std::move(keep.front());
    }
    images_.labels = to_labels(info[1]);
    if (info[2].IsObject()) images_.targets = to_floats(info[2]);
    check_indices(images_, {});
  });
}

}  // namespace fer::bindings
