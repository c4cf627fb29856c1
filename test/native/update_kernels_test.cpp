#include "optim/update_kernels.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "on_host.h"

namespace fer {
namespace {

/// Parameters of sizes that are less than a piece of a block, more, a whole number of them, and one; more of them than
/// one kernel takes.
std::vector<int64_t> sizes() {
  std::vector<int64_t> all{1, 4096, 4097, 100, 9000};
  while (all.size() < 100) all.push_back(static_cast<int64_t>(all.size()));
  return all;
}

std::vector<at::Tensor> tensors(int seed) {
  at::manual_seed(seed);
  std::vector<at::Tensor> all;
  for (const auto size : sizes()) all.push_back(at::rand({size}) + 0.01);
  return all;
}

at::Tensor nth(const std::vector<at::Tensor>& all, size_t i) { return all.empty() ? at::Tensor() : all[i]; }
float* values(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

/// As update_cuda.cu sends them.
template <typename Parameter, typename MakeRule>
void update_on_host(const std::vector<Parameter>& parameters, const MakeRule& rule_of, Order order) {
  using Kernel = UpdateAll<decltype(rule_of(parameters.front()))>;
  static_assert(sizeof(Kernel) <= 4096);
  Kernel kernel;
  const auto send = [&] {
    run_on_host(kernel, kernel.launch(), order);
    kernel.count = 0;
  };
  for (const auto& parameter : parameters) {
    kernel.add(rule_of(parameter), parameter.weight.numel());
    if (kernel.full()) send();
  }
  send();
}

void expect_same(const std::vector<at::Tensor>& actual, const std::vector<at::Tensor>& expected) {
  // The CPU may multiply and add in one rounding.
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(at::allclose(actual[i], expected[i], 1e-5, 1e-7)) << i;
}

TEST(UpdateOnHost, OfAdamAgreesWithTheCpu) {
  for (const auto order : orders) {
    for (const bool averages : {true, false}) {
      const AdamStep step{0.1F, 0.01F, 0.9F, 0.99F, 1e-8F, averages, 3, 0.9F};
      const auto make = [&](const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& first,
                            const std::vector<at::Tensor>& second, const std::vector<at::Tensor>& average) {
        const auto gradients = tensors(1);
        std::vector<AdamParameter> all;
        for (size_t i = 0; i < weights.size(); ++i) {
          all.push_back({weights[i], gradients[i], first[i], second[i], nth(average, i), 0.5F});
        }
        return all;
      };
      const auto averaged = [&] { return averages ? tensors(5) : std::vector<at::Tensor>(); };
      const auto w = tensors(2), f = tensors(3), s = tensors(4), a = averaged();
      update(make(w, f, s, a), step);
      const auto weights = tensors(2), first = tensors(3), second = tensors(4), average = averaged();
      update_on_host(
          make(weights, first, second, average),
          [&](const AdamParameter& p) {
            return AdamRule{values(p.weight),  values(p.gradient),        values(p.first), values(p.second),
                            values(p.average), AdamFactors(step, p.rate), step.averaging};
          },
          order);
      expect_same(weights, w);
      expect_same(first, f);
      expect_same(second, s);
      expect_same(average, a);
    }
  }
}

TEST(UpdateOnHost, OfSgdAgreesWithTheCpu) {
  for (const auto order : orders) {
    for (const bool momentum : {true, false}) {
      const SgdStep step{0.1F, 0.01F, momentum ? 0.9F : 0, 0.9F};
      const auto make = [&](const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& velocity,
                            const std::vector<at::Tensor>& average) {
        const auto gradients = tensors(1);
        std::vector<SgdParameter> all;
        for (size_t i = 0; i < weights.size(); ++i) {
          all.push_back({weights[i], gradients[i], nth(velocity, i), average[i], 0.5F});
        }
        return all;
      };
      const auto remembered = [&] { return momentum ? tensors(3) : std::vector<at::Tensor>(); };
      const auto w = tensors(2), v = remembered(), a = tensors(5);
      update(make(w, v, a), step);
      const auto weights = tensors(2), velocity = remembered(), average = tensors(5);
      update_on_host(
          make(weights, velocity, average),
          [&](const SgdParameter& p) {
            return SgdRule{values(p.weight), values(p.gradient), values(p.velocity), values(p.average),
                           at_rate(step, p.rate)};
          },
          order);
      expect_same(weights, w);
      expect_same(velocity, v);
      expect_same(average, a);
    }
  }
}

}  // namespace
}  // namespace fer
