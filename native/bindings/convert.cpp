#include "bindings/convert.h"

#include <ATen/ops/from_blob.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "core/device.h"
#include "io/tensor_file.h"

namespace fer::bindings {
namespace {

struct TypeRow {
  const char* name;
  at::ScalarType dtype;
  napi_typedarray_type array;
};
/// bfloat16 and float16 have no typed array: their bits travel in a Uint16Array.
constexpr std::array<TypeRow, 7> types = {{
    {"uint8", at::kByte, napi_uint8_array},
    {"int32", at::kInt, napi_int32_array},
    {"int64", at::kLong, napi_bigint64_array},
    {"bfloat16", at::kBFloat16, napi_uint16_array},
    {"float16", at::kHalf, napi_uint16_array},
    {"float32", at::kFloat, napi_float32_array},
    {"float64", at::kDouble, napi_float64_array},
}};

template <typename Matches>
const TypeRow& row_where(Matches&& matches) {
  for (const auto& row : types) {
    if (matches(row)) return row;
  }
  throw Error("ERR_INVALID_OPTION",
              "Expected `dtype` to be one of uint8, int32, int64, bfloat16, float16, float32, float64");
}

/// Some hosts forbid external buffers, Electron among them. The variable stands in for such a host, in tests.
napi_status share_with(napi_env env, const at::Tensor& tensor, napi_finalize release, void* owner, napi_value* buffer) {
  // An empty tensor has no memory to hand over.
  if (tensor.nbytes() == 0 || std::getenv("FER_TORCH_NO_EXTERNAL_BUFFERS")) return napi_no_external_buffers_allowed;
  return napi_create_external_arraybuffer(env, tensor.mutable_data_ptr(), tensor.nbytes(), release, owner, buffer);
}

/// Hands the tensor's memory to V8, which counts it, and frees it by dropping the tensor; a copy where that is
/// forbidden.
Napi::ArrayBuffer share(Napi::Env env, const at::Tensor& tensor) {
  auto* owner = new at::Tensor(tensor);
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); };
  napi_value buffer = nullptr;
  if (share_with(env, tensor, release, owner, &buffer) == napi_ok) return {env, buffer};
  delete owner;
  auto copy = Napi::ArrayBuffer::New(env, tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(copy.Data(), tensor.const_data_ptr(), tensor.nbytes());
  return copy;
}

}  // namespace

Napi::Value Fields::at(const char* name) const {
  if (has(name)) return object_.Get(name);
  throw Napi::Error::New(object_.Env(), std::string("fer-torch: the wrapper passed no field `") + name + "`");
}

at::ScalarType dtype_of(const std::string& name) {
  return row_where([&](const TypeRow& row) { return name == row.name; }).dtype;
}

std::string name_of(at::ScalarType dtype) {
  return row_where([&](const TypeRow& row) { return dtype == row.dtype; }).name;
}

std::vector<int64_t> to_integers(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> result(array.Length());
  for (uint32_t i = 0; i < result.size(); ++i) result[i] = array.Get(i).ToNumber().Int64Value();
  return result;
}

std::string to_bytes(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(array.Data()), array.ByteLength()};
}

std::vector<std::string> to_strings(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result(array.Length());
  for (uint32_t i = 0; i < result.size(); ++i) result[i] = array.Get(i).ToString().Utf8Value();
  return result;
}

at::Tensor to_tensor(const Napi::Value& value, Keep& keep) {
  const Fields fields(value);
  const auto dtype = dtype_of(fields.text("dtype"));
  const auto shape = to_integers(fields.at("shape"));
  const auto data = fields.at("data").As<Napi::TypedArray>();
  keep.push_back(Napi::Persistent(data.As<Napi::Object>()));
  auto* start = static_cast<uint8_t*>(data.ArrayBuffer().Data()) + data.ByteOffset();
  const auto tensor = at::from_blob(start, shape, at::TensorOptions().dtype(dtype));
  if (tensor.nbytes() != data.ByteLength()) {
    throw Error("ERR_INVALID_OPTION", "Expected `data` to hold " + std::to_string(tensor.nbytes()) +
                                          " bytes for its shape, got " + std::to_string(data.ByteLength()));
  }
  return tensor;
}

at::Tensor to_floats(const Napi::Value& value) {
  Keep keep;
  return to_tensor(value, keep).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

Napi::Object from_tensor(Napi::Env env, const at::Tensor& tensor) {
  const auto dense = tensor.contiguous();
  const auto& type = row_where([&](const TypeRow& row) { return dense.scalar_type() == row.dtype; });
  auto shape = Napi::Array::New(env, static_cast<size_t>(dense.dim()));
  for (int64_t i = 0; i < dense.dim(); ++i) shape.Set(static_cast<uint32_t>(i), static_cast<double>(dense.size(i)));
  napi_value data = nullptr;
  napi_create_typedarray(env, type.array, static_cast<size_t>(dense.numel()), share(env, dense), 0, &data);
  auto result = Napi::Object::New(env);
  result.Set("dtype", type.name);
  result.Set("shape", shape);
  result.Set("data", Napi::Value(env, data));
  return result;
}

std::vector<NamedTensor> to_named_tensors(const Napi::Value& value, Keep& keep) {
  const auto array = value.As<Napi::Array>();
  std::vector<NamedTensor> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value entry = array.Get(i);
    result.push_back({Fields(entry).text("name"), to_tensor(entry, keep)});
  }
  return result;
}

std::vector<TensorSource> to_sources(const Fields& file) {
  const auto array = file.at("tensors").As<Napi::Array>();
  std::vector<TensorPlace> places;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Fields entry(array.Get(i));
    places.push_back({.name = entry.text("name"),
                      .dtype = dtype_of(entry.text("dtype")),
                      .shape = to_integers(entry.at("shape")),
                      .strides = entry.has("strides") ? to_integers(entry.at("strides")) : std::vector<int64_t>{},
                      .offset = entry.integer("offset")});
  }
  return TensorFile::share(static_cast<int>(file.integer("descriptor")), file.text("path"))->sources(places);
}

Napi::Array describe_tensors(Napi::Env env, const std::vector<NamedTensor>& tensors) {
  auto result = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    auto entry = Napi::Object::New(env);
    auto shape = Napi::Array::New(env);
    for (const int64_t side : tensors[i].tensor.sizes()) shape.Set(shape.Length(), static_cast<double>(side));
    entry.Set("name", tensors[i].name);
    entry.Set("dtype", name_of(tensors[i].tensor.scalar_type()));
    entry.Set("shape", shape);
    result.Set(i, entry);
  }
  return result;
}

NetworkSpec to_network_spec(const Fields& fields) {
  const auto normalization = fields.fields("normalization");
  const auto mean = normalization.at("mean").As<Napi::Array>(),
             deviation = normalization.at("deviation").As<Napi::Array>();
  NetworkSpec spec{.backbone = fields.text("backbone"),
                   .head = fields.text("head"),
                   .stem = fields.text("stem"),
                   .classes = fields.integer("classCount"),
                   .affinity = affinities().at(fields.text("affinity")),
                   .input = {.size = fields.integer("imageSize"),
                             .color = fields.text("color") == "grey" ? Color::grey : Color::rgb,
                             .normalization = {}}};
  for (uint32_t c = 0; c < 3; ++c) {
    spec.input.normalization.mean[c] = mean.Get(c).ToNumber().FloatValue();
    spec.input.normalization.deviation[c] = deviation.Get(c).ToNumber().FloatValue();
  }
  return spec;
}

Augmentation to_augmentation(const Fields& fields) {
  return {.flip = fields.single("flip"),
          .shift = fields.single("shift"),
          .scale = fields.single("scale"),
          .rotation = fields.single("rotation"),
          .brightness = fields.single("brightness"),
          .contrast = fields.single("contrast"),
          .noise = fields.single("noise"),
          .noise_deviation = fields.single("noiseDeviation"),
          .flip_or_noise = fields.single("flipOrNoise"),
          .erase = fields.single("erase"),
          .erase_smallest = fields.single("eraseSmallest"),
          .erase_largest = fields.single("eraseLargest"),
          .coarsen = fields.single("coarsen"),
          .coarsen_smallest = fields.single("coarsenSmallest")};
}

/// [[low, high]]
std::vector<Range> to_ranges(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<Range> ranges;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto pair = array.Get(i).As<Napi::Array>();
    ranges.push_back({pair.Get(0U).ToNumber().FloatValue(), pair.Get(1U).ToNumber().FloatValue()});
  }
  return ranges;
}

InferenceOptions to_inference_options(const Fields& fields) {
  const auto device = parse_device(fields.text("device"));
  return {.affinity = affinities().at(fields.text("affinity")),
          .precision = parse_precision(fields.text("precision"), device),
          .device = device,
          .batch_size = fields.integer("batchSize"),
          .ranges = fields.has("ranges") ? to_ranges(fields.at("ranges")) : std::vector<Range>{},
          .flip = fields.flag("flip")};
}

}  // namespace fer::bindings
