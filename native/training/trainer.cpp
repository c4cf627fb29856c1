#include "training/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/nn/utils/clip_grad.h>

#include <cmath>
#include <sstream>
#include <string_view>

namespace fer {
namespace {

constexpr int64_t head_depth = 5;
constexpr std::string_view optimizer_prefix = "optimizer.";
constexpr const char* cure =
    "Most often the steps are too large: lower `learningRate`, lengthen `warmupEpochs`, or clip gradients with "
    "`clipNorm`";

}  // namespace

Trainer::Trainer(std::shared_ptr<Network> network, std::vector<Share> shares, TrainingOptions options)
    : network_(std::move(network)),
      working_(options.device.is_cpu() ? network_ : network_->copy_on(options.device)),
      options_(std::move(options)),
      loader_(std::move(shares), options_.loader) {
  working_->freeze(options_.freeze);
  auto& class_weights = options_.loss.class_weights;
  if (class_weights.defined()) class_weights = class_weights.to(options_.device);
  std::vector<Learned> rates;
  for (const auto& [name, tensor] : learned()) {
    parameters_.push_back(tensor);
    const auto parts_above = static_cast<double>(head_depth - Network::depth_of(name));
    rates.push_back({tensor, static_cast<float>(std::pow(options_.layer_decay, parts_above))});
  }
  optimizer_ = optimizers().at(options_.optimizer)(rates, options_.optimizer_settings);
}

namespace {

void copy_by_name(const std::vector<NamedTensor>& from, const std::vector<NamedTensor>& to) {
  for (const auto& [name, target] : to) {
    const auto found = std::ranges::find(from, name, &NamedTensor::name);
    if (found != from.end()) target.copy_(found->tensor);
  }
}

std::optional<at::Device> gpu(at::Device device) { return device.is_cpu() ? std::nullopt : std::optional(device); }

/// When a call returns, however it does, nothing of the loader may still run: the process may be about to end.
struct Settle {
  Loader& loader;
  ~Settle() { loader.settle(); }
};

}  // namespace

void Trainer::run_until(int64_t last, Clock::time_point deadline, const Cancellation& cancellation,
                        const std::function<void(const Step&)>& report) {
  at::AutoGradMode gradients(true);
  const MemoryPool::Scope memory(memory_);
  const c10::OptionalDeviceGuard on_device(gpu(options_.device));
  working_->train(true);
  const Settle settle{loader_};
  try {
    while (steps_done_ < last) {
      cancellation.check();
      report(step());
      if (Clock::now() >= deadline) break;
    }
    check_finite();
  } catch (const Error&) {
    // What was learned until then is kept, as far as it is finite.
    if (working_ != network_ && !find_not_finite(working_->state())) bring_back();
    throw;
  }
  bring_back();
}

void Trainer::bring_back() {
  if (working_ != network_) network_->load(sources_of(working_->state()));
}

void Trainer::average_into(Network& network, const Cancellation& cancellation) {
  if (options_.device.is_cpu()) return average_on(network, cancellation);
  const c10::OptionalDeviceGuard on_device(options_.device);
  const auto copy = network.copy_on(options_.device);
  average_on(*copy, cancellation);
  network.load(sources_of(copy->state()));
}

void Trainer::average_on(Network& network, const Cancellation& cancellation) {
  constexpr int64_t pictures = 4096;  // enough for means and variances of every channel
  at::NoGradGuard no_grad;
  const MemoryPool::Scope memory(memory_);
  const Settle settle{loader_};
  network.freeze(options_.freeze);
  network.train(true);
  copy_by_name(working_->state(), network.state());
  size_t i = 0;
  for (auto& parameter : network.parameters()) {
    if (parameter.requires_grad()) parameter.copy_(optimizer_->averages().at(i++));
  }
  const int64_t batches = std::min(steps_per_epoch(), (pictures + batch_size() - 1) / batch_size());
  for (int64_t i = 0; i < batches; ++i) {
    cancellation.check();
    network.set_momentum(1.0 / static_cast<double>(i + 1));  // the mean of all so far
    AutocastScope autocast(options_.precision);
    network.logits(batch(steps_done_ + i).images, network.spec().affinity);
  }
  network.train(false);
}

std::vector<NamedTensor> Trainer::state() const {
  auto all = working_->state();
  for (auto& entry : optimizer_state()) all.push_back(std::move(entry));
  for (auto& entry : all) entry.tensor = entry.tensor.cpu();
  return all;
}

std::vector<NamedTensor> Trainer::optimizer_state() const {
  std::vector<NamedTensor> all;
  const auto parameters = learned();
  for (const auto& slot : optimizer_->state()) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      all.push_back({std::string(optimizer_prefix) + slot.name + "." + parameters[i].name, slot.tensors[i]});
    }
  }
  return all;
}

std::vector<NamedTensor> Trainer::learned() const {
  auto all = working_->named_parameters();
  std::erase_if(all, [](const NamedTensor& entry) { return !entry.tensor.requires_grad(); });
  return all;
}

void Trainer::restore(const std::vector<TensorSource>& state, int64_t steps_done) {
  std::vector<TensorSource> network, optimizer;
  for (const auto& source : state) (source.name.starts_with(optimizer_prefix) ? optimizer : network).push_back(source);
  network_->load(network);
  if (working_ != network_) working_->load(network);
  load_state(optimizer_state(), optimizer);
  steps_done_ = steps_done;
}

void Trainer::check_finite() const {
  if (const auto name = find_not_finite(state())) {
    throw Error("ERR_DIVERGED", "After step " + std::to_string(steps_done_) + " `" + *name +
                                    "` holds numbers that are not finite. " + cure);
  }
}

double Trainer::learning_rate() const {
  const ScheduleSettings schedule{.learning_rate = options_.learning_rate,
                                  .decay = options_.decay,
                                  .warmup_epochs = options_.warmup_epochs,
                                  .steps_per_epoch = steps_per_epoch(),
                                  .steps = options_.epochs * steps_per_epoch()};
  return learning_rate_at(options_.schedule, schedule, steps_done_);
}

/// Made on a stream of the loader's: its memory is kept until what is queued on this one has read it.
Batch Trainer::batch(int64_t step) {
  auto batch = loader_.next(step);
  if (options_.device.is_cpu()) return batch;
  const auto stream = c10::impl::VirtualGuardImpl(options_.device.type()).getStream(options_.device);
  batch.images.record_stream(stream);
  batch.targets.record_stream(stream);
  return batch;
}

Step Trainer::step() {
  const double learning_rate = this->learning_rate();
  const auto batch = this->batch(steps_done_);
  const double loss = add_gradients(batch);
  if (!std::isfinite(loss)) {
    std::ostringstream text;
    text << "The loss is no longer a finite number at step " << steps_done_ + 1 << ", learning rate " << learning_rate
         << ". " << cure;
    throw Error("ERR_DIVERGED", text.str());
  }
  if (options_.sharpness > 0) sharpen_gradients(batch);
  if (options_.clip_norm > 0) torch::nn::utils::clip_grad_norm_(parameters_, options_.clip_norm);
  optimizer_->step(learning_rate, ++steps_done_);
  return {.step = steps_done_, .loss = loss, .learning_rate = learning_rate};
}

/// Sharpness-aware minimisation (Foret et al., arXiv 2010.01412): puts in place of the gradients those of the point
/// that lies `sharpness` along them. That point leaves no trace in the running statistics.
void Trainer::sharpen_gradients(const Batch& batch) {
  std::vector<at::Tensor> squares, steps;
  for (const auto& parameter : parameters_) squares.push_back(parameter.grad().square().sum());
  const double norm = at::stack(squares).sum().sqrt().item<double>();
  const double factor = options_.sharpness / (norm + 1e-12);
  const auto move = [&](double direction) {
    at::NoGradGuard no_grad;
    for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].add_(steps[i], direction);
  };
  for (auto& parameter : parameters_) {
    steps.push_back(parameter.grad() * factor);
    parameter.mutable_grad().reset();
  }
  move(1);
  working_->set_momentum(0);
  add_gradients(batch);
  working_->set_momentum(Network::usual_momentum);
  move(-1);
}

/// Of the mean loss over a batch, which it gives. It stops at the first part whose loss is not finite.
double Trainer::add_gradients(const Batch& batch) {
  const int64_t size = batch.targets.size(0), parts = std::min(options_.accumulate, size);
  double total = 0;
  for (int64_t part = 0; part < parts && std::isfinite(total); ++part) {
    const int64_t first = part * size / parts, count = (part + 1) * size / parts - first;
    const auto share = loss_of(batch.images.narrow(0, first, count), batch.targets.narrow(0, first, count), part) *
                       (static_cast<double>(count) / static_cast<double>(size));
    total += share.item<double>();
    if (std::isfinite(total)) share.backward();
  }
  return total;
}

at::Tensor Trainer::loss_of(const at::Tensor& images, const at::Tensor& targets, int64_t part) {
  const Noise noise{.dropout = options_.dropout,
                    .stochastic_depth = options_.stochastic_depth,
                    .seed = options_.loader.seed,
                    .draw = static_cast<uint64_t>(steps_done_ * options_.accumulate + part)};
  AutocastScope autocast(options_.precision);
  return cross_entropy(working_->logits(images, working_->spec().affinity, noise), targets, options_.loss);
}

}  // namespace fer
