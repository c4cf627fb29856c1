#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/cancellation.h"
#include "core/precision.h"
#include "data/loader.h"
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
  double label_smoothing;
  double clip_norm;  // 0: never
  Precision precision;
  LoaderOptions loader;
};

/// What a step reports once it is done.
struct Step {
  int64_t step;  // steps done, from 1
  double loss;
  double learning_rate;
};

/// Drives one network over its training pictures. TypeScript decides what happens between the calls.
class Trainer {
 public:
  Trainer(std::shared_ptr<Network> network, ImageSet images, std::vector<int64_t> indices, TrainingOptions options);

  int64_t batch_size() const { return loader_.batch_size(); }
  int64_t steps_per_epoch() const { return loader_.batches_per_epoch(); }
  int64_t steps_done() const { return steps_done_; }

  /// Trains until `last` steps are done; polls `cancellation` between steps.
  /// ERR_DIVERGED where the loss is not finite; the parameters are then those before that step.
  void run_until(int64_t last, const Cancellation& cancellation, const std::function<void(const Step&)>& report);

 private:
  Step step();

  std::shared_ptr<Network> network_;
  TrainingOptions options_;
  Loader loader_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t steps_done_ = 0;
};

}  // namespace fer
