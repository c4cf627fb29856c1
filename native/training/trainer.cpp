#include "training/trainer.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/utils/clip_grad.h>

#include <cmath>

#include "losses/cross_entropy.h"

namespace fer {

Trainer::Trainer(std::shared_ptr<Network> network, ImageSet images, std::vector<int64_t> indices,
                 TrainingOptions options)
    : network_(std::move(network)),
      options_(std::move(options)),
      loader_(std::move(images), std::move(indices), options_.loader),
      parameters_(network_->parameters()),
      optimizer_(optimizers().at(options_.optimizer)(parameters_, options_.optimizer_settings)) {}

void Trainer::run_until(int64_t last, const Cancellation& cancellation,
                        const std::function<void(const Step&)>& report) {
  at::AutoGradMode gradients(true);
  network_->train(true);
  while (steps_done_ < last) {
    cancellation.check();
    report(step());
  }
}

Step Trainer::step() {
  const ScheduleSettings schedule{.learning_rate = options_.learning_rate,
                                  .decay = options_.decay,
                                  .warmup_epochs = options_.warmup_epochs,
                                  .steps_per_epoch = steps_per_epoch(),
                                  .steps = options_.epochs * steps_per_epoch()};
  const double learning_rate = learning_rate_at(options_.schedule, schedule, steps_done_);
  const Batch batch = loader_.next(steps_done_);
  at::Tensor loss;
  {
    AutocastScope autocast(options_.precision);
    loss = cross_entropy(network_->logits(batch.images, network_->spec().affinity), batch.labels,
                         options_.label_smoothing);
  }
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    throw Error("ERR_DIVERGED", "The loss is no longer a finite number at step " + std::to_string(steps_done_ + 1) +
                                    ". Lower the learning rate, or clip gradients");
  }
  loss.backward();
  if (options_.clip_norm > 0) torch::nn::utils::clip_grad_norm_(parameters_, options_.clip_norm);
  optimizer_->step(learning_rate);
  return {.step = ++steps_done_, .loss = value, .learning_rate = learning_rate};
}

}  // namespace fer
