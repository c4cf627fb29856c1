#include "training/trainer.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/utils/clip_grad.h>

#include <cmath>
#include <sstream>
#include <string_view>

#include "losses/cross_entropy.h"

namespace fer {
namespace {

constexpr std::string_view optimizer_prefix = "optimizer.";
constexpr const char* cure =
    "Most often the steps are too large: lower `learningRate`, lengthen `warmupEpochs`, or clip gradients with "
    "`clipNorm`";

}  // namespace

Trainer::Trainer(std::shared_ptr<Network> network, ImageSet images, std::vector<int64_t> indices,
                 TrainingOptions options)
    : network_(std::move(network)),
      options_(std::move(options)),
      loader_(std::move(images), std::move(indices), options_.loader),
      parameters_(network_->parameters()),
      optimizer_(optimizers().at(options_.optimizer)(parameters_, options_.optimizer_settings)) {}

void Trainer::run_until(int64_t last, Clock::time_point deadline, const Cancellation& cancellation,
                        const std::function<void(const Step&)>& report) {
  at::AutoGradMode gradients(true);
  const MemoryPool::Scope memory(memory_);
  network_->train(true);
  // When this returns, however it does, nothing of it may still run: the process may be about to end.
  struct Settle {
    Loader& loader;
    ~Settle() { loader.settle(); }
  } settle{loader_};
  while (steps_done_ < last) {
    cancellation.check();
    report(step());
    if (Clock::now() >= deadline) break;
  }
  check_finite();
}

std::vector<NamedTensor> Trainer::state() const {
  auto all = network_->state();
  for (auto& entry : optimizer_state()) all.push_back(std::move(entry));
  return all;
}

std::vector<NamedTensor> Trainer::optimizer_state() const {
  std::vector<NamedTensor> all;
  const auto parameters = network_->named_parameters();
  for (const auto& slot : optimizer_->state()) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      all.push_back({std::string(optimizer_prefix) + slot.name + "." + parameters[i].name, slot.tensors[i]});
    }
  }
  return all;
}

void Trainer::restore(const std::vector<TensorSource>& state, int64_t steps_done) {
  std::vector<TensorSource> network, optimizer;
  for (const auto& source : state) (source.name.starts_with(optimizer_prefix) ? optimizer : network).push_back(source);
  network_->load(network);
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

Step Trainer::step() {
  const double learning_rate = this->learning_rate();
  const double loss = add_gradients(loader_.next(steps_done_));
  if (!std::isfinite(loss)) {
    std::ostringstream text;
    text << "The loss is no longer a finite number at step " << steps_done_ + 1 << ", learning rate " << learning_rate
         << ". " << cure;
    throw Error("ERR_DIVERGED", text.str());
  }
  if (options_.clip_norm > 0) torch::nn::utils::clip_grad_norm_(parameters_, options_.clip_norm);
  optimizer_->step(learning_rate);
  return {.step = ++steps_done_, .loss = loss, .learning_rate = learning_rate};
}

/// Of the mean loss over a batch, which it gives. It stops at the first part whose loss is not finite.
double Trainer::add_gradients(const Batch& batch) {
  const int64_t size = batch.labels.size(0), parts = std::min(options_.accumulate, size);
  double total = 0;
  for (int64_t part = 0; part < parts && std::isfinite(total); ++part) {
    const int64_t first = part * size / parts, count = (part + 1) * size / parts - first;
    const auto share = loss_of(batch.images.narrow(0, first, count), batch.labels.narrow(0, first, count)) *
                       (static_cast<double>(count) / static_cast<double>(size));
    total += share.item<double>();
    if (std::isfinite(total)) share.backward();
  }
  return total;
}

at::Tensor Trainer::loss_of(const at::Tensor& images, const at::Tensor& labels) {
  AutocastScope autocast(options_.precision);
  return cross_entropy(network_->logits(images, network_->spec().affinity), labels, options_.label_smoothing);
}

}  // namespace fer
