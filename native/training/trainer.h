#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/cancellation.h"
#include "core/memory_pool.h"
#include "core/precision.h"
#include "data/loader.h"
#include "losses/cross_entropy.h"
#include "models/network.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace fer {

struct TrainingOptions {
  int64_t epochs;
  std::string optimizer;
  OptimizerSettings optimizer_settings;
  std::string schedule;
  double learning_rate;
  double decay;
  double warmup_epochs;
  LossSettings loss;
  double clip_norm;  // 0: never
  double sharpness;  // radius of sharpness-aware minimisation; 0: off
  double dropout;
  double stochastic_depth;
  int64_t freeze;      // parts of the network, from the stem on, that stay as they are
  double layer_decay;  // of the learning rate, from each part to the one before it
  int64_t accumulate;  // parts that a batch is computed in, whose gradients add up
  Precision precision;
  at::Device device;
  LoaderOptions loader;
};

/// What a step reports once it is done.
struct Step {
  int64_t step;  // steps done, from 1
  double loss;
  double learning_rate;
};

/// Drives one network over its training pictures. TypeScript decides what happens between the calls. The network lies
/// in the memory of the CPU, where all else reads it; training on a GPU is that of a copy, which is brought back before
/// a call returns or throws.
class Trainer {
 public:
  Trainer(std::shared_ptr<Network> network, std::vector<Share> shares, TrainingOptions options);

  int64_t batch_size() const { return loader_.batch_size(); }
  int64_t steps_per_epoch() const { return loader_.batches_per_epoch(); }
  int64_t steps_done() const { return steps_done_; }

  using Clock = std::chrono::steady_clock;
  /// Trains until `last` steps are done, or one at least and `deadline` has come; polls `cancellation` between steps.
  /// ERR_DIVERGED where the loss, or at the end a weight, is not finite.
  void run_until(int64_t last, Clock::time_point deadline, const Cancellation& cancellation,
                 const std::function<void(const Step&)>& report);

  /// Gives another network of the same kind the average of the weights. Its norms' statistics and ARM's generic part
  /// are made anew for it, over training pictures. Only where an average is kept.
  void average_into(Network& network, const Cancellation& cancellation);

  /// All that decides what comes next beside the options and the number of steps done: the network's state, and the
  /// optimizer's as `optimizer.SLOT.PARAMETER`. The tensors are the trainer's own memory, or copies of a GPU's.
  std::vector<NamedTensor> state() const;
  /// Goes on from such a state. ERR_BAD_MODEL where it does not fit.
  void restore(const std::vector<TensorSource>& state, int64_t steps_done);
  /// ERR_DIVERGED where a weight, or what the optimizer remembers, is not finite.
  void check_finite() const;

 private:
  Step step();
  double add_gradients(const Batch& batch);
  void sharpen_gradients(const Batch& batch);
  at::Tensor loss_of(const at::Tensor& images, const at::Tensor& targets, int64_t part);
  std::vector<NamedTensor> learned() const;
  double learning_rate() const;
  std::vector<NamedTensor> optimizer_state() const;
  Batch batch(int64_t step);
  void bring_back();
  void average_on(Network& network, const Cancellation& cancellation);

  std::shared_ptr<Network> network_, working_;  // the same one, but for a copy on a GPU
  TrainingOptions options_;
  Loader loader_;
  std::vector<at::Tensor> parameters_;  // those that are learned
  std::unique_ptr<Optimizer> optimizer_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>();
  int64_t steps_done_ = 0;
};

}  // namespace fer
