#include <gtest/gtest.h>
#include <torch/torch.h>

#include "losses/cross_entropy.h"

namespace fer {
namespace {

const auto logits = [] { return at::tensor({2.0, 0.5, -1.0, 0.0, 3.0, 1.0}, at::kDouble).view({2, 3}); };
const auto targets = [] { return at::tensor({0.7, 0.3, 0.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 3}); };

double loss_of(const LossSettings& settings) { return cross_entropy(logits(), targets(), settings).item<double>(); }

TEST(Loss, OfADistributionIsItsCrossEntropy) {
  const double expected = -(targets() * logits().log_softmax(1)).sum().item<double>() / 2;
  EXPECT_NEAR(loss_of({}), expected, 1e-12);
}

TEST(Loss, FocalWeighsEachTermByThePowerOfWhatItMisses) {
  const auto p = logits().softmax(1);
  const double expected = -(targets() * (1 - p).pow(2) * p.log()).sum().item<double>() / 2;
  EXPECT_NEAR(loss_of({.smoothing = 0, .focal_gamma = 2, .class_weights = {}}), expected, 1e-12);
}

TEST(Loss, FocalGoesOverIntoCrossEntropy) {
  EXPECT_NEAR(loss_of({.smoothing = 0.1, .focal_gamma = 1e-9, .class_weights = {}}),
              loss_of({.smoothing = 0.1, .focal_gamma = 0, .class_weights = {}}), 1e-7);
}

TEST(Loss, ClassWeightsWeighTheTermsOfTheirClass) {
  const auto weights = at::tensor({1.0, 2.0, 0.5}, at::kDouble);
  const double expected = -(targets() * weights * logits().log_softmax(1)).sum().item<double>() / 2;
  EXPECT_NEAR(loss_of({.smoothing = 0, .focal_gamma = 0, .class_weights = weights}), expected, 1e-12);
  EXPECT_NEAR(loss_of({.smoothing = 0, .focal_gamma = 1e-9, .class_weights = weights}), expected, 1e-7);
}

TEST(Loss, FocalHasFiniteGradientsWhereAnAnswerIsCertain) {
  auto certain = at::tensor({100.0F, -100.0F, -100.0F}).view({1, 3}).requires_grad_();
  const auto target = at::tensor({1.0F, 0.0F, 0.0F}).view({1, 3});
  for (const double gamma : {0.5, 2.0}) {
    cross_entropy(certain, target, {.smoothing = 0, .focal_gamma = gamma, .class_weights = {}}).backward();
    EXPECT_TRUE(certain.grad().isfinite().all().item<bool>()) << gamma;
  }
}

}  // namespace
}  // namespace fer
