#include "bindings/network.h"

#include "bindings/cancellation.h"
#include "bindings/convert.h"
#include "bindings/image_set.h"
#include "inference/explain.h"
#include "inference/quantization.h"
#include "io/safetensors.h"

namespace fer::bindings {
namespace {

Input to_input(const Napi::Value& value, Keep& keep) {
  const Fields fields(value);
  Input input{.pixels = to_tensor(value, keep), .box = {}};
  if (fields.has("box")) {
    const auto box = fields.fields("box");
    input.box = {box.integer("left"), box.integer("top"), box.integer("width"), box.integer("height")};
  }
  return input;
}

/// [(H, W, C) tensors, each with an optional box]
std::vector<Input> to_inputs(const Napi::Value& value, Keep& keep) {
  const auto array = value.As<Napi::Array>();
  std::vector<Input> result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(to_input(array.Get(i), keep));
  return result;
}

Finish give(const at::Tensor& tensor) {
  return [tensor](Napi::Env env) -> Napi::Value { return from_tensor(env, tensor); };
}

/// Calls a JavaScript function, which the job keeps alive, with the number done.
std::function<void(int64_t)> progress_listener(Environment& environment, const Napi::ObjectReference& listener) {
  return [post = environment.poster(), listener = &listener](int64_t done) {
    post([listener, done](Napi::Env env) {
      listener->Value().As<Napi::Function>().Call({Napi::Number::New(env, static_cast<double>(done))});
    });
  };
}

/// (imageSet, indices, options, cancellation, onProgress) -> Promise of what `work` gives with them on the compute
/// thread.
template <typename Work>
Napi::Value over_faces(const Napi::CallbackInfo& info, const std::shared_ptr<Predictor>& predictor, Work work) {
  Keep keep;
  keep.push_back(Napi::Persistent(info[0].As<Napi::Object>()));
  keep.push_back(Napi::Persistent(info[4].As<Napi::Object>()));
  auto& environment = Environment::of(info.Env());
  const auto report = progress_listener(environment, keep.back());
  const auto cancellation = CancellationWrap::of(info[3]);
  return environment.submit(compute_worker(), cancellation, std::move(keep),
                            [=, images = ImageSetWrap::of(info[0]), indices = to_integers(info[1]),
                             options = to_inference_options(Fields(info[2]))] {
                              return work(*predictor, images, indices, options, *cancellation, report);
                            });
}

/// `bytes`: the memory that goes with the object.
Napi::Value wrap(Napi::Env env, std::shared_ptr<Predictor> predictor, int64_t bytes) {
  return Environment::of(env).network_class.New({Napi::External<std::shared_ptr<Predictor>>::New(env, &predictor),
                                                 Napi::Number::New(env, static_cast<double>(bytes))});
}

/// Of the weights, and as much again for a plan.
int64_t bytes_of(const Network& network) {
  int64_t bytes = 0;
  for (const auto& entry : network.state()) bytes += static_cast<int64_t>(entry.tensor.nbytes());
  return 2 * bytes;
}

/// [[low, high]]
Napi::Array from_ranges(Napi::Env env, const std::vector<Range>& ranges) {
  auto array = Napi::Array::New(env, ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    auto pair = Napi::Array::New(env, 2);
    pair.Set(0U, ranges[i].low);
    pair.Set(1U, ranges[i].high);
    array.Set(static_cast<uint32_t>(i), pair);
  }
  return array;
}

Napi::Object from_step(Napi::Env env, const Convolution& step) {
  auto result = Napi::Object::New(env);
  result.Set("kind", "convolution");
  result.Set("input", static_cast<double>(step.input));
  result.Set("weight", from_tensor(env, step.weight));
  result.Set("bias", from_tensor(env, step.bias));
  result.Set("stride", static_cast<double>(step.stride));
  result.Set("padding", static_cast<double>(step.padding));
  if (step.addend) result.Set("addend", static_cast<double>(*step.addend));
  result.Set("relu", step.relu);
  return result;
}

Napi::Object from_step(Napi::Env env, const MaxPool& step) {
  auto result = Napi::Object::New(env);
  result.Set("kind", "maxPool");
  result.Set("input", static_cast<double>(step.input));
  result.Set("kernel", static_cast<double>(step.kernel));
  result.Set("stride", static_cast<double>(step.stride));
  result.Set("padding", static_cast<double>(step.padding));
  return result;
}

Napi::Object from_graph(Napi::Env env, const Graph& graph, const Reading& reading) {
  auto steps = Napi::Array::New(env, graph.steps.size());
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    std::visit([&](const auto& step) { steps.Set(static_cast<uint32_t>(i), from_step(env, step)); }, graph.steps[i]);
  }
  auto read = Napi::Object::New(env);
  read.Set("weight", from_tensor(env, reading.weight));
  read.Set("bias", from_tensor(env, reading.bias));
  auto result = Napi::Object::New(env);
  result.Set("steps", steps);
  result.Set("reading", read);
  return result;
}

Napi::Object from_explanation(Napi::Env env, const Explanation& explanation) {
  auto result = Napi::Object::New(env);
  result.Set("logits", from_tensor(env, explanation.logits));
  result.Set("gradCam", from_tensor(env, explanation.grad_cam));
  result.Set("evidence", from_tensor(env, explanation.evidence));
  result.Set("bias", from_tensor(env, explanation.bias));
  if (explanation.reach.defined()) result.Set("reach", from_tensor(env, explanation.reach));
  return result;
}

}  // namespace

Napi::Function NetworkWrap::define(Napi::Env env) {
  return DefineClass(
      env, "Network",
      {InstanceMethod<&NetworkWrap::state>("state"), InstanceMethod<&NetworkWrap::calibrated>("calibrated"),
       InstanceMethod<&NetworkWrap::save>("save"), InstanceMethod<&NetworkWrap::explain>("explain"),
       InstanceMethod<&NetworkWrap::infer>("infer"), InstanceMethod<&NetworkWrap::evaluate>("evaluate"),
       InstanceMethod<&NetworkWrap::adopt>("adopt"), InstanceMethod<&NetworkWrap::calibrate>("calibrate"),
       InstanceMethod<&NetworkWrap::measure_ranges>("measureRanges"), InstanceMethod<&NetworkWrap::graph>("graph"),
       InstanceMethod<&NetworkWrap::share>("share"), InstanceMethod<&NetworkWrap::dispose>("dispose")});
}

NetworkWrap::NetworkWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Illegal constructor");
  predictor_ = *info[0].As<Napi::External<std::shared_ptr<Predictor>>>().Data();
  bytes_ = info[1].ToNumber().Int64Value();
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
}

void NetworkWrap::release() {
  predictor_.reset();
  if (bytes_ > 0) Napi::MemoryManagement::AdjustExternalMemory(Env(), -bytes_);
  bytes_ = 0;
}

Napi::Value NetworkWrap::create(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto spec = to_network_spec(Fields(info[0]));
    std::function<std::shared_ptr<Network>()> make;
    if (info[1].IsNumber()) {
      const auto seed = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
      make = [=] { return std::make_shared<Network>(spec, seed); };
    } else {
      make = [spec, sources = to_sources(Fields(info[1]))] {
        auto network = std::make_shared<Network>(spec);
        network->load(sources);
        return network;
      };
    }
    return Environment::of(info.Env()).submit(compute_worker(), nullptr, {}, [make] {
      return [predictor = std::make_shared<Predictor>(make())](Napi::Env env) {
        return wrap(env, predictor, bytes_of(*predictor->network()));
      };
    });
  });
}

std::shared_ptr<Predictor> NetworkWrap::predictor_of(const Napi::Value& value) {
  auto predictor = Unwrap(value.As<Napi::Object>())->predictor_;
  if (!predictor) throw Error("ERR_DISPOSED", "This model was disposed of before this call. Load it again");
  return predictor;
}

Napi::Value NetworkWrap::state(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return describe_tensors(info.Env(), of(info.This())->state()); });
}

Napi::Value NetworkWrap::calibrated(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), of(info.This())->calibrated()); });
}

Napi::Value NetworkWrap::save(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .submit(compute_worker(), nullptr, {},
                [state = of(info.This())->state(), path = info[0].ToString().Utf8Value(), bytes = to_bytes(info[1]),
                 dtype = dtype_of(info[2].ToString())] {
                  write_safetensors(path, bytes, state, dtype);
                  return nothing;
                });
  });
}

Napi::Value NetworkWrap::infer(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Keep keep;
    const auto inputs = to_inputs(info[0], keep);
    const auto options = to_inference_options(Fields(info[1]));
    const auto output = info[2].ToString().Utf8Value() == "features" ? Output::features : Output::logits;
    const auto cancellation = CancellationWrap::of(info[3]);
    return Environment::of(info.Env())
        .submit(compute_worker(), cancellation, std::move(keep), [=, predictor = predictor_of(info.This())] {
          return give(fer::infer(*predictor, inputs, options, output, *cancellation));
        });
  });
}

Napi::Value NetworkWrap::explain(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Keep keep;
    const auto input = to_input(info[0], keep);
    const auto options = to_inference_options(Fields(info[1]));
    const auto cancellation = CancellationWrap::of(info[2]);
    return Environment::of(info.Env())
        .submit(
            compute_worker(), cancellation, std::move(keep), [=, predictor = predictor_of(info.This())]() -> Finish {
              return [result = fer::explain(*predictor, input, options, *cancellation)](Napi::Env env) -> Napi::Value {
                return from_explanation(env, result);
              };
            });
  });
}

Napi::Value NetworkWrap::evaluate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return over_faces(info, predictor_of(info.This()), [](Predictor& predictor, auto&&... rest) -> Finish {
      return give(fer::infer(predictor, rest...));
    });
  });
}

Napi::Value NetworkWrap::adopt(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .submit(compute_worker(), nullptr, {}, [network = of(info.This()), sources = to_sources(Fields(info[0]))] {
          network->adopt(sources);
          return nothing;
        });
  });
}

Napi::Value NetworkWrap::calibrate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return over_faces(info, predictor_of(info.This()), [](Predictor& predictor, auto&&... rest) -> Finish {
      fer::calibrate(predictor, rest...);
      return nothing;
    });
  });
}

Napi::Value NetworkWrap::measure_ranges(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return over_faces(info, predictor_of(info.This()),
                      [](Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                         const InferenceOptions&, const auto&... rest) -> Finish {
                        return [ranges = fer::measure_ranges(predictor, images, indices, rest...)](
                                   Napi::Env env) -> Napi::Value { return from_ranges(env, ranges); };
                      });
  });
}

Napi::Value NetworkWrap::graph(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto affinity = affinities().at(info[0].ToString());
    return Environment::of(info.Env()).submit(compute_worker(), nullptr, {}, [network = of(info.This()), affinity] {
      network->check_affinity(affinity);
      return [graph = network->graph(), reading = network->reading(affinity)](Napi::Env env) -> Napi::Value {
        return from_graph(env, graph, reading);
      };
    });
  });
}

Napi::Value NetworkWrap::share(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return wrap(info.Env(), predictor_of(info.This()), 0); });
}

void NetworkWrap::dispose(const Napi::CallbackInfo&) { release(); }

}  // namespace fer::bindings
