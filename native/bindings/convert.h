#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>
#include <vector>

#include "bindings/environment.h"
#include "data/augment.h"
#include "inference/inference.h"
#include "models/network.h"

namespace fer::bindings {

/// Reads the fields of a plain object that TypeScript has validated and completed: a missing one is our own mistake.
class Fields {
 public:
  explicit Fields(const Napi::Value& value) : object_(value.As<Napi::Object>()) {}

  Napi::Value at(const char* name) const;
  bool has(const char* name) const { return object_.HasOwnProperty(name); }
  Fields fields(const char* name) const { return Fields(at(name)); }
  std::string text(const char* name) const { return at(name).ToString().Utf8Value(); }
  double number(const char* name) const { return at(name).ToNumber().DoubleValue(); }
  float single(const char* name) const { return static_cast<float>(number(name)); }
  bool flag(const char* name) const { return at(name).ToBoolean(); }
  int64_t integer(const char* name) const { return at(name).ToNumber().Int64Value(); }

 private:
  Napi::Object object_;
};

at::ScalarType dtype_of(const std::string& name);
std::string name_of(at::ScalarType dtype);

std::vector<int64_t> to_integers(const Napi::Value& array);
/// A copy of { dtype: 'float32', shape, data }.
at::Tensor to_floats(const Napi::Value& tensor);
/// A copy of a Uint8Array.
std::string to_bytes(const Napi::Value& array);
std::vector<std::string> to_strings(const Napi::Value& array);

/// { dtype, shape, data } -> a tensor over the same memory; `keep` takes the reference that keeps that alive.
at::Tensor to_tensor(const Napi::Value& value, Keep& keep);
/// A tensor -> { dtype, shape, data } over the same memory, row-major; a copy where the host forbids external buffers.
Napi::Object from_tensor(Napi::Env env, const at::Tensor& tensor);
/// [{ name, dtype, shape, data }]
std::vector<NamedTensor> to_named_tensors(const Napi::Value& value, Keep& keep);

/// { descriptor, path, tensors: [{ name, dtype, shape, strides?, offset }] } -> tensors to read from that open file.
std::vector<TensorSource> to_sources(const Fields& file);
/// [{ name, dtype, shape }]
Napi::Array describe_tensors(Napi::Env env, const std::vector<NamedTensor>& tensors);

NetworkSpec to_network_spec(const Fields& fields);
Augmentation to_augmentation(const Fields& fields);
InferenceOptions to_inference_options(const Fields& fields);

template <typename Value>
Napi::Array from_names(Napi::Env env, const Catalog<Value>& catalog) {
  const auto names = catalog.names();
  auto array = Napi::Array::New(env, names.size());
  for (size_t i = 0; i < names.size(); ++i) array.Set(static_cast<uint32_t>(i), names[i]);
  return array;
}

}  // namespace fer::bindings
