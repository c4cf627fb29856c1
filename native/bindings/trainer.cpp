#include "bindings/trainer.h"

#include <algorithm>

#include "bindings/cancellation.h"
#include "bindings/convert.h"
#include "bindings/image_set.h"
#include "bindings/network.h"
#include "core/device.h"
#include "inference/inference.h"
#include "io/safetensors.h"

namespace fer::bindings {
namespace {

LossSettings to_loss(const Fields& fields) {
  LossSettings loss{
      .smoothing = fields.number("labelSmoothing"), .focal_gamma = fields.number("focalGamma"), .class_weights = {}};
  if (fields.has("classWeights")) loss.class_weights = to_floats(fields.at("classWeights"));
  return loss;
}

/// [{ images, indices, weight }]
std::vector<Share> to_shares(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<Share> shares;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Fields fields(array.Get(i));
    shares.push_back({.images = ImageSetWrap::of(fields.at("images")),
                      .indices = to_integers(fields.at("indices")),
                      .weight = fields.number("weight")});
  }
  return shares;
}

TrainingOptions to_training_options(const Fields& fields, const InputFormat& format, int64_t classes) {
  const auto device = parse_device(fields.text("device"));
  const auto precision = parse_precision(fields.text("precision"), device);
  return {.epochs = fields.integer("epochs"),
          .optimizer = fields.text("optimizer"),
          .optimizer_settings = {.weight_decay = fields.number("weightDecay"),
                                 .momentum = fields.number("momentum"),
                                 .beta1 = fields.number("beta1"),
                                 .beta2 = fields.number("beta2"),
                                 .averaging = fields.number("averaging")},
          .schedule = fields.text("schedule"),
          .learning_rate = fields.number("learningRate"),
          .decay = fields.number("decay"),
          .warmup_epochs = fields.number("warmupEpochs"),
          .loss = to_loss(fields),
          .clip_norm = fields.number("clipNorm"),
          .sharpness = fields.number("sharpness"),
          .dropout = fields.number("dropout"),
          .stochastic_depth = fields.number("stochasticDepth"),
          .freeze = fields.integer("freeze"),
          .layer_decay = fields.number("layerDecay"),
          .accumulate = fields.integer("accumulate"),
          .precision = precision,
          .device = device,
          .loader = {.batch_size = fields.integer("batchSize"),
                     .classes = classes,
                     .seed = static_cast<uint64_t>(fields.integer("seed")),
                     .sampler = fields.text("sampler"),
                     .class_limit = fields.integer("classLimit"),
                     .augmentation = to_augmentation(fields.fields("augmentation")),
                     .mixing = {.mixup = fields.number("mixup"), .cutmix = fields.number("cutmix")},
                     .format = format,
                     .dtype = precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat,
                     .device = device}};
}

/// Ten years stand for all that is longer, infinity included.
Trainer::Clock::duration to_duration(double milliseconds) {
  constexpr double longest = 3.2e11;
  const std::chrono::duration<double, std::milli> span(std::clamp(milliseconds, 0.0, longest));
  return std::chrono::duration_cast<Trainer::Clock::duration>(span);
}

Napi::Object from_step(Napi::Env env, const Step& step) {
  auto result = Napi::Object::New(env);
  result.Set("step", static_cast<double>(step.step));
  result.Set("loss", step.loss);
  result.Set("learningRate", step.learning_rate);
  return result;
}

}  // namespace

Napi::Function TrainerWrap::define(Napi::Env env) {
  return DefineClass(
      env, "Trainer",
      {InstanceAccessor<&TrainerWrap::batch_size>("batchSize"),
       InstanceAccessor<&TrainerWrap::steps_per_epoch>("stepsPerEpoch"), InstanceMethod<&TrainerWrap::run>("run"),
       InstanceMethod<&TrainerWrap::state>("state"), InstanceMethod<&TrainerWrap::save>("save"),
       InstanceMethod<&TrainerWrap::restore>("restore"), InstanceMethod<&TrainerWrap::evaluate>("evaluate"),
       InstanceMethod<&TrainerWrap::average_into>("averageInto"), InstanceMethod<&TrainerWrap::dispose>("dispose")});
}

TrainerWrap::TrainerWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    network_ = NetworkWrap::of(info[0]);
    const auto& spec = network_->spec();
    trainer_ = std::make_shared<Trainer>(network_, to_shares(info[1]),
                                         to_training_options(Fields(info[2]), spec.input, spec.classes));
    shares_ = Napi::Persistent(info[1].As<Napi::Object>());
    worker_ = std::make_unique<Worker>();
  });
}

Napi::Value TrainerWrap::batch_size(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(trainer().batch_size()));
  });
}

Napi::Value TrainerWrap::steps_per_epoch(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(trainer().steps_per_epoch()));
  });
}

Napi::Value TrainerWrap::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Keep keep;
    keep.push_back(Napi::Persistent(info.This().As<Napi::Object>()));
    keep.push_back(Napi::Persistent(info[3].As<Napi::Object>()));
    auto& environment = Environment::of(info.Env());
    const auto report = [post = environment.poster(), listener = &keep.back()](const Step& step) {
      post([listener, step](Napi::Env env) { listener->Value().As<Napi::Function>().Call({from_step(env, step)}); });
    };
    const auto cancellation = CancellationWrap::of(info[2]);
    return environment.submit(worker(), cancellation, std::move(keep),
                              [report, cancellation, trainer = trainer_, until = info[0].ToNumber().Int64Value(),
                               span = to_duration(info[1].ToNumber().DoubleValue())] {
                                trainer->run_until(until, Trainer::Clock::now() + span, *cancellation, report);
                                return [done = trainer->steps_done()](Napi::Env env) -> Napi::Value {
                                  return Napi::Number::New(env, static_cast<double>(done));
                                };
                              });
  });
}

Napi::Value TrainerWrap::state(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return describe_tensors(info.Env(), trainer().state()); });
}

Napi::Value TrainerWrap::save(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .submit(worker(), nullptr, {},
                [trainer = trainer_, state = trainer().state(), path = info[0].ToString().Utf8Value(),
                 prefix = to_bytes(info[1])] {
                  trainer->check_finite();
                  write_safetensors(path, prefix, state, at::kFloat);
                  return nothing;
                });
  });
}

Napi::Value TrainerWrap::restore(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .submit(
            worker(), nullptr, {},
            [trainer = trainer_, sources = to_sources(Fields(info[0])), steps_done = info[1].ToNumber().Int64Value()] {
              trainer->restore(sources, steps_done);
              return nothing;
            });
  });
}

Napi::Value TrainerWrap::average_into(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Keep keep;
    keep.push_back(Napi::Persistent(info.This().As<Napi::Object>()));
    const auto cancellation = CancellationWrap::of(info[1]);
    return Environment::of(info.Env())
        .submit(worker(), cancellation, std::move(keep),
                [trainer = trainer_, network = NetworkWrap::of(info[0]), cancellation] {
                  trainer->average_into(*network, *cancellation);
                  return nothing;
                });
  });
}

Napi::Value TrainerWrap::evaluate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Keep keep;
    keep.push_back(Napi::Persistent(info.This().As<Napi::Object>()));
    keep.push_back(Napi::Persistent(info[1].As<Napi::Object>()));
    const auto cancellation = CancellationWrap::of(info[4]);
    return Environment::of(info.Env())
        .submit(worker(), cancellation, std::move(keep),
                [network = NetworkWrap::of(info[0]), images = ImageSetWrap::of(info[1]), indices = to_integers(info[2]),
                 options = to_inference_options(Fields(info[3])), cancellation] {
                  Predictor predictor(network);
                  const auto logits = infer(predictor, images, indices, options, *cancellation, [](int64_t) {});
                  return [logits](Napi::Env env) -> Napi::Value { return from_tensor(env, logits); };
                });
  });
}

Worker& TrainerWrap::worker() {
  trainer();
  return *worker_;
}

Trainer& TrainerWrap::trainer() {
  if (!trainer_) throw Error("ERR_DISPOSED", "This trainer was disposed of before this call. Make another one");
  return *trainer_;
}

void TrainerWrap::dispose(const Napi::CallbackInfo&) {
  worker_.reset();
  trainer_.reset();
  network_.reset();
  shares_.Reset();
}

}  // namespace fer::bindings
