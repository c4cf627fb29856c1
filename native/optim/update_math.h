#pragma once
#include <cmath>

#include "core/launch.h"
#include "core/vectorize.h"
#include "optim/update.h"

// What a step does to one weight, the same on every device.
namespace fer {

/// Factors of a step of Adam that are the same for all weights of a parameter.
struct AdamFactors {
  float keep;   // of the weight itself
  float decay;  // added to the gradient, times the weight
  float beta1, beta2, epsilon, step, second_scale;

  AdamFactors() = default;
  AdamFactors(const AdamStep& adam, float rate)
      : keep(adam.decoupled ? 1.0F - rate * adam.learning_rate * adam.weight_decay : 1.0F),
        decay(adam.decoupled ? 0.0F : adam.weight_decay),
        beta1(adam.beta1),
        beta2(adam.beta2),
        epsilon(adam.epsilon),
        step(static_cast<float>(rate * adam.learning_rate /
                                (1 - std::pow(static_cast<double>(adam.beta1), adam.steps)))),
        second_scale(static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(adam.beta2), adam.steps)))) {}
};

inline SgdStep at_rate(SgdStep step, float rate) {
  step.learning_rate *= rate;
  return step;
}

FER_DEVICE FER_INLINE void step_adam(float& weight, float gradient, float& first, float& second,
                                     const AdamFactors& by) {
  const float slope = gradient + by.decay * weight;
  first = by.beta1 * first + (1 - by.beta1) * slope;
  second = by.beta2 * second + (1 - by.beta2) * slope * slope;
  weight = by.keep * weight - by.step * first / (std::sqrt(second) * by.second_scale + by.epsilon);
}

FER_DEVICE FER_INLINE void step_nesterov(float& weight, float gradient, float& velocity, const SgdStep& by) {
  const float slope = gradient + by.weight_decay * weight;
  velocity = by.momentum * velocity + slope;
  weight -= by.learning_rate * (slope + by.momentum * velocity);
}

FER_DEVICE FER_INLINE void step_plain(float& weight, float gradient, const SgdStep& by) {
  weight -= by.learning_rate * (gradient + by.weight_decay * weight);
}

FER_DEVICE FER_INLINE void step_average(float weight, float& average, float keep) {
  average = weight + keep * (average - weight);
}

}  // namespace fer
