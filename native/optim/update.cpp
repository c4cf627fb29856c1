#include "optim/update.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <cmath>

#include "core/vectorize.h"

namespace fer {
namespace {

/// Factors of a step that are the same for all weights.
struct AdamFactors {
  float keep;   // of the weight itself
  float decay;  // added to the gradient, times the weight
  float beta1, beta2, epsilon, step, second_scale;

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

FER_VECTORIZED void update_adam(float* __restrict weight, const float* __restrict gradient, float* __restrict first,
                                float* __restrict second, int64_t count, AdamFactors by) {
  for (int64_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + by.decay * weight[i];
    first[i] = by.beta1 * first[i] + (1 - by.beta1) * slope;
    second[i] = by.beta2 * second[i] + (1 - by.beta2) * slope * slope;
    weight[i] = by.keep * weight[i] - by.step * first[i] / (std::sqrt(second[i]) * by.second_scale + by.epsilon);
  }
}

FER_VECTORIZED void update_nesterov(float* __restrict weight, const float* __restrict gradient,
                                    float* __restrict velocity, int64_t count, SgdStep by) {
  for (int64_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + by.weight_decay * weight[i];
    velocity[i] = by.momentum * velocity[i] + slope;
    weight[i] -= by.learning_rate * (slope + by.momentum * velocity[i]);
  }
}

FER_VECTORIZED void update_plain(float* __restrict weight, const float* __restrict gradient, int64_t count,
                                 SgdStep by) {
  for (int64_t i = 0; i < count; ++i) {
    weight[i] -= by.learning_rate * (gradient[i] + by.weight_decay * weight[i]);
  }
}

FER_VECTORIZED void update_average(const float* __restrict weight, float* __restrict average, int64_t count,
                                   float keep) {
  for (int64_t i = 0; i < count; ++i) average[i] = weight[i] + keep * (average[i] - weight[i]);
}

/// Values [begin, begin + count) of a parameter.
struct Piece {
  size_t parameter;
  int64_t begin, count;
};

template <typename Parameter, typename Function>
void for_each_piece(const std::vector<Parameter>& parameters, const Function& function) {
  constexpr int64_t most = 1 << 16;
  std::vector<Piece> pieces;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const int64_t count = parameters[i].weight.numel();
    for (int64_t begin = 0; begin < count; begin += most) pieces.push_back({i, begin, std::min(most, count - begin)});
  }
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto& piece = pieces[static_cast<size_t>(i)];
      function(parameters[piece.parameter], piece);
    }
  });
}

float* values(const at::Tensor& tensor, const Piece& piece) { return tensor.data_ptr<float>() + piece.begin; }

template <typename Parameter>
void follow(const Parameter& parameter, const Piece& piece, float keep) {
  if (!parameter.average.defined()) return;
  update_average(values(parameter.weight, piece), values(parameter.average, piece), piece.count, keep);
}

}  // namespace

void update(const std::vector<AdamParameter>& parameters, const AdamStep& step) {
  for_each_piece(parameters, [&](const AdamParameter& parameter, const Piece& piece) {
    update_adam(values(parameter.weight, piece), values(parameter.gradient, piece), values(parameter.first, piece),
                values(parameter.second, piece), piece.count, AdamFactors(step, parameter.rate));
    follow(parameter, piece, step.averaging);
  });
}

void update(const std::vector<SgdParameter>& parameters, const SgdStep& step) {
  for_each_piece(parameters, [&](const SgdParameter& parameter, const Piece& piece) {
    auto scaled = step;
    scaled.learning_rate *= parameter.rate;
    auto* weight = values(parameter.weight, piece);
    const auto* gradient = values(parameter.gradient, piece);
    if (parameter.velocity.defined()) {
      update_nesterov(weight, gradient, values(parameter.velocity, piece), piece.count, scaled);
    } else {
      update_plain(weight, gradient, piece.count, scaled);
    }
    follow(parameter, piece, step.averaging);
  });
}

at::Tensor in_layout_of(const at::Tensor& other, const at::Tensor& tensor) {
  if (tensor.strides() == other.strides()) return tensor;
  return at::empty_like(other).copy_(tensor);
}

}  // namespace fer
