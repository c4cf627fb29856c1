#include "optim/update.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "optim/update_math.h"

namespace fer {
namespace {

FER_VECTORIZED void update_adam(float* __restrict weight, const float* __restrict gradient, float* __restrict first,
                                float* __restrict second, int64_t count, AdamFactors by) {
  for (int64_t i = 0; i < count; ++i) step_adam(weight[i], gradient[i], first[i], second[i], by);
}

FER_VECTORIZED void update_nesterov(float* __restrict weight, const float* __restrict gradient,
                                    float* __restrict velocity, int64_t count, SgdStep by) {
  for (int64_t i = 0; i < count; ++i) step_nesterov(weight[i], gradient[i], velocity[i], by);
}

FER_VECTORIZED void update_plain(float* __restrict weight, const float* __restrict gradient, int64_t count,
                                 SgdStep by) {
  for (int64_t i = 0; i < count; ++i) step_plain(weight[i], gradient[i], by);
}

FER_VECTORIZED void update_average(const float* __restrict weight, float* __restrict average, int64_t count,
                                   float keep) {
  for (int64_t i = 0; i < count; ++i) step_average(weight[i], average[i], keep);
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

void update_adam_cpu(const std::vector<AdamParameter>& parameters, const AdamStep& step) {
  for_each_piece(parameters, [&](const AdamParameter& parameter, const Piece& piece) {
    update_adam(values(parameter.weight, piece), values(parameter.gradient, piece), values(parameter.first, piece),
                values(parameter.second, piece), piece.count, AdamFactors(step, parameter.rate));
    follow(parameter, piece, step.averaging);
  });
}

void update_sgd_cpu(const std::vector<SgdParameter>& parameters, const SgdStep& step) {
  for_each_piece(parameters, [&](const SgdParameter& parameter, const Piece& piece) {
    const auto scaled = at_rate(step, parameter.rate);
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

}  // namespace

constinit Updates<AdamParameter, AdamStep> adam_updates{update_adam_cpu};
constinit Updates<SgdParameter, SgdStep> sgd_updates{update_sgd_cpu};

void update(const std::vector<AdamParameter>& parameters, const AdamStep& step) { adam_updates(parameters, step); }
void update(const std::vector<SgdParameter>& parameters, const SgdStep& step) { sgd_updates(parameters, step); }

at::Tensor in_layout_of(const at::Tensor& other, const at::Tensor& tensor) {
  if (tensor.strides() == other.strides()) return tensor;
  return at::empty_like(other).copy_(tensor);
}

}  // namespace fer
