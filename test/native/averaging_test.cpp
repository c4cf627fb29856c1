#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numeric>

#include "losses/cross_entropy.h"
#include "optim/optimizer.h"
#include "training/trainer.h"

namespace fer {
namespace {

constexpr Normalization plain{{0, 0, 0}, {1, 1, 1}};
constexpr auto forever = Trainer::Clock::time_point::max();

std::shared_ptr<Network> network(uint64_t seed) {
  return std::make_shared<Network>(NetworkSpec{.backbone = "resnet18",
                                               .head = "arm",
                                               .stem = "small",
                                               .classes = 7,
                                               .affinity = Affinity::ema,
                                               .input = {32, Color::rgb, plain}},
                                   seed);
}

std::vector<Share> faces() {
  at::manual_seed(3);
  std::vector<int64_t> indices(16);
  std::iota(indices.begin(), indices.end(), 0);
  return {{.images = {.pixels = at::randint(0, 256, {16, 32, 32, 3}, at::kByte),
                      .labels = at::arange(16) % 7,
                      .targets = {}},
           .indices = indices,
           .weight = 1}};
}

LoaderOptions loader_options(int64_t batch) {
  return {.batch_size = batch,
          .classes = 7,
          .seed = 1,
          .sampler = "shuffle",
          .class_limit = 0,
          .augmentation = {},
          .mixing = {},
          .format = {32, Color::rgb, plain},
          .dtype = at::kFloat,
          .device = at::kCPU};
}

TrainingOptions options(const std::string& optimizer, double averaging, double sharpness, int64_t batch = 8) {
  return {
      .epochs = 100,
      .optimizer = optimizer,
      .optimizer_settings = {.weight_decay = 0, .momentum = 0, .beta1 = 0.9, .beta2 = 0.999, .averaging = averaging},
      .schedule = "constant",
      .learning_rate = 0.01,
      .decay = 1,
      .warmup_epochs = 0,
      .loss = {},
      .clip_norm = 0,
      .sharpness = sharpness,
      .dropout = 0,
      .stochastic_depth = 0,
      .freeze = 0,
      .layer_decay = 1,
      .accumulate = 1,
      .precision = Precision::float32,
      .device = at::kCPU,
      .loader = loader_options(batch)};
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const auto& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

TEST(Averaging, IsTheRunningMeanThatFollowsTheFirstStepsClosely) {
  for (const auto& name : optimizers().names()) {
    const auto trained = network(5);
    auto expected = copies(trained->parameters());
    Trainer trainer(trained, faces(), options(name, 0.9, 0));
    for (int64_t step = 1; step <= 4; ++step) {
      trainer.run_until(step, forever, Cancellation(), [](const Step&) {});
      const double keep = std::min(0.9, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
      const auto parameters = trained->parameters();
      for (size_t i = 0; i < expected.size(); ++i)
        expected[i] = keep * expected[i] + (1 - keep) * parameters[i].detach();
    }
    const auto average = network(6);
    trainer.average_into(*average, Cancellation());
    const auto actual = average->parameters();
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_LT((actual[i] - expected[i]).abs().max().item<double>(), 1e-6) << name;
  }
}

TEST(Averaging, LeavesTheTrainedWeightsAsTheyWouldBeWithout) {
  const auto with = network(5), without = network(5);
  Trainer one(with, faces(), options("adamw", 0.99, 0)), other(without, faces(), options("adamw", 0, 0));
  one.run_until(2, forever, Cancellation(), [](const Step&) {});
  const auto average = network(6);
  one.average_into(*average, Cancellation());
  one.run_until(4, forever, Cancellation(), [](const Step&) {});
  other.run_until(4, forever, Cancellation(), [](const Step&) {});
  const auto actual = with->state(), expected = without->state();
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(actual[i].tensor.equal(expected[i].tensor)) << actual[i].name;
}

TEST(Averaging, MakesStatisticsAnewThatAreThoseOfTheTrainingPictures) {
  const auto trained = network(5), average = network(6);
  Trainer trainer(trained, faces(), options("adam", 0.9, 0, /*batch=*/16));
  trainer.run_until(3, forever, Cancellation(), [](const Step&) {});
  trainer.average_into(*average, Cancellation());
  EXPECT_TRUE(average->calibrated());
  // One batch holds all pictures: the first norm's running mean must be that of the first layer over them.
  at::NoGradGuard no_grad;
  const auto images = faces()[0].images.pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255;
  at::Tensor weight, mean;
  for (const auto& [name, tensor] : average->state()) {
    if (name == "conv1.weight") weight = tensor;
    if (name == "bn1.running_mean") mean = tensor;
  }
  const auto expected = at::conv2d(images, weight, {}, 1, 1).mean({0, 2, 3});
  EXPECT_LT((mean - expected).abs().max().item<double>(), 1e-5);
}

TEST(Averaging, StopsWhenCancelled) {
  Trainer trainer(network(5), faces(), options("sgd", 0.9, 0));
  trainer.run_until(1, forever, Cancellation(), [](const Step&) {});
  Cancellation cancelled;
  cancelled.request();
  const auto average = network(6);
  EXPECT_THROW(trainer.average_into(*average, cancelled), Error);
}

TEST(Sharpness, TakesTheGradientsOfThePointAlongTheGradient) {
  constexpr double radius = 0.1, rate = 0.01;
  const auto trained = network(5), by_hand = network(5);
  Trainer trainer(trained, faces(), options("sgd", 0, radius));
  trainer.run_until(1, forever, Cancellation(), [](const Step&) {});
  Loader loader(faces(), loader_options(8));
  const auto batch = loader.next(0);
  by_hand->train(true);
  const auto gradients = [&] {
    for (auto& parameter : by_hand->parameters()) parameter.mutable_grad().reset();
    cross_entropy(by_hand->logits(batch.images, Affinity::ema), batch.targets, {}).backward();
    std::vector<at::Tensor> result;
    for (const auto& parameter : by_hand->parameters()) result.push_back(parameter.grad().clone());
    return result;
  };
  const auto first = gradients();
  double squares = 0;
  for (const auto& gradient : first) squares += gradient.square().sum().item<double>();
  const auto start = copies(by_hand->parameters());
  {
    at::NoGradGuard no_grad;
    auto parameters = by_hand->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) parameters[i].add_(first[i], radius / std::sqrt(squares));
  }
  const auto second = gradients();
  const auto actual = trained->parameters();
  // Sums in another order may turn a ReLU, so the distance is measured against what the second point changes.
  double missed = 0, changed = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    missed += (actual[i] - (start[i] - rate * second[i])).square().sum().item<double>();
    changed += (rate * (second[i] - first[i])).square().sum().item<double>();
  }
  EXPECT_LT(std::sqrt(missed), 0.01 * std::sqrt(changed));
}

TEST(Sharpness, LeavesTheRunningStatisticsToTheFirstPass) {
  const auto sharp = network(5), plain_network = network(5);
  Trainer one(sharp, faces(), options("sgd", 0, 0.5)), other(plain_network, faces(), options("sgd", 0, 0));
  one.run_until(1, forever, Cancellation(), [](const Step&) {});
  other.run_until(1, forever, Cancellation(), [](const Step&) {});
  const auto actual = sharp->state(), expected = plain_network->state();
  for (size_t i = 0; i < actual.size(); ++i) {
    const bool is_statistic = actual[i].name.find("running") != std::string::npos || actual[i].name == "arm.generic";
    if (is_statistic) EXPECT_TRUE(actual[i].tensor.equal(expected[i].tensor)) << actual[i].name;
  }
}

}  // namespace
}  // namespace fer
