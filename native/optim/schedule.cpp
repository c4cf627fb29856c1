#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fer {
namespace {

double cosine_between(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

/// Smith & Topin (arXiv 1708.07120), with the fractions common in practice: up from 1/25 over the first 30 %, down to
/// 1/25/10000 at the end, both along a cosine.
double one_cycle(double progress) {
  constexpr double rise = 0.3, start = 1.0 / 25.0, end = start / 1e4;
  return progress < rise ? cosine_between(start, 1.0, progress / rise)
                         : cosine_between(1.0, end, (progress - rise) / (1.0 - rise));
}

}  // namespace

const Catalog<Schedule>& schedules() {
  static const Catalog<Schedule> rows(
      "schedule",
      {
          {"exponential",
           [](const ScheduleSettings& settings, double, int64_t epoch) { return std::pow(settings.decay, epoch); }},
          {"cosine",
           [](const ScheduleSettings&, double progress, int64_t) { return cosine_between(1.0, 0.0, progress); }},
          {"one-cycle", [](const ScheduleSettings&, double progress, int64_t) { return one_cycle(progress); }},
          {"constant", [](const ScheduleSettings&, double, int64_t) { return 1.0; }},
      });
  return rows;
}

double learning_rate_at(const std::string& schedule, const ScheduleSettings& settings, int64_t step) {
  const auto warmup =
      static_cast<int64_t>(std::llround(settings.warmup_epochs * static_cast<double>(settings.steps_per_epoch)));
  if (step < warmup) return settings.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const int64_t after = step - warmup, total = std::max<int64_t>(settings.steps - warmup, 1);
  const double progress = static_cast<double>(after) / static_cast<double>(total);
  return settings.learning_rate * schedules().at(schedule)(settings, progress, after / settings.steps_per_epoch);
}

}  // namespace fer
