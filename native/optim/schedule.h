#pragma once
#include <functional>

#include "core/catalog.h"

namespace fer {

struct ScheduleSettings {
  double learning_rate;  // the largest
  double decay;          // of exponential, an epoch
  double warmup_epochs;  // the rate rises linearly from zero over these
  int64_t steps_per_epoch;
  int64_t steps;  // in all
};

/// The learning rate of a step, counted from 0: a pure function, so that resuming needs nothing saved.
double learning_rate_at(const std::string& schedule, const ScheduleSettings& settings, int64_t step);

/// What follows warm-up, as a fraction of the largest rate. `progress`: of the steps after warm-up, in [0, 1);
/// `epoch`: whole epochs since warm-up ended.
using Schedule = std::function<double(const ScheduleSettings&, double progress, int64_t epoch)>;
const Catalog<Schedule>& schedules();

}  // namespace fer
