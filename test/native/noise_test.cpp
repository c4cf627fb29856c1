#include "models/noise.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "models/network.h"

namespace fer {
namespace {

Noise noise(double dropout, double stochastic_depth, uint64_t draw = 0) {
  return {.dropout = dropout, .stochastic_depth = stochastic_depth, .seed = 1, .draw = draw};
}

TEST(Dropout, KeepsTheMeanAndDropsTheShareAskedFor) {
  const auto dropped = drop_features(at::ones({100, 200}), noise(0.3, 0));
  // 20000 draws: the standard deviation of the share is sqrt(0.3 * 0.7 / 20000) = 0.0032.
  EXPECT_NEAR((dropped == 0).to(at::kFloat).mean().item<double>(), 0.3, 0.013);
  EXPECT_LT((dropped.masked_select(dropped != 0) - 1 / 0.7).abs().max().item<double>(), 1e-6);
}

TEST(Dropout, IsAFunctionOfSeedAndDraw) {
  const auto features = at::ones({8, 64});
  EXPECT_TRUE(drop_features(features, noise(0.5, 0, 3)).equal(drop_features(features, noise(0.5, 0, 3))));
  EXPECT_FALSE(drop_features(features, noise(0.5, 0, 3)).equal(drop_features(features, noise(0.5, 0, 4))));
}

TEST(StochasticDepth, DropsABranchForWholePictures) {
  const auto dropped = drop_branches(at::ones({400, 4, 3, 3}), noise(0, 0), 0.25, 1);
  const auto kept = dropped.flatten(1);
  EXPECT_TRUE((kept == kept.select(1, 0).unsqueeze(1)).all().item<bool>());
  // 400 draws: sqrt(0.25 * 0.75 / 400) = 0.022.
  EXPECT_NEAR((kept.select(1, 0) == 0).to(at::kFloat).mean().item<double>(), 0.25, 0.09);
  EXPECT_NEAR(kept.max().item<double>(), 1 / 0.75, 1e-6);
  EXPECT_FALSE(dropped.equal(drop_branches(at::ones({400, 4, 3, 3}), noise(0, 0), 0.25, 2)));
}

Network small(const std::string& head) {
  return Network({.backbone = "resnet18",
                  .head = head,
                  .stem = "small",
                  .classes = 7,
                  .affinity = head == "arm" ? Affinity::ema : Affinity::none,
                  .input = {32, Color::rgb, {{0, 0, 0}, {1, 1, 1}}}},
                 1);
}

TEST(Noise, DisturbsTrainingAndLeavesAnswersAlone) {
  for (const std::string head : {"arm", "gap"}) {
    auto network = small(head);
    const auto affinity = network.spec().affinity;
    at::manual_seed(2);
    const auto images = at::rand({4, 3, 32, 32});
    at::NoGradGuard no_grad;
    network.train(true);
    const auto plain = network.logits(images, affinity);
    EXPECT_FALSE(network.logits(images, affinity, noise(0.5, 0)).allclose(plain)) << head;
    EXPECT_FALSE(network.logits(images, affinity, noise(0, 0.5)).allclose(plain)) << head;
    EXPECT_TRUE(network.logits(images, affinity, noise(0, 0)).equal(plain)) << head;
    network.train(false);
    EXPECT_TRUE(network.logits(images, affinity, noise(0.5, 0.5)).equal(network.logits(images, affinity))) << head;
  }
}

TEST(Freezing, LeavesTheWeightsAndStatisticsOfTheFirstPartsAlone) {
  auto network = small("arm");
  network.freeze(3);
  network.train(true);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : network.state()) before[name] = tensor.clone();
  network.logits(at::rand({4, 3, 32, 32}), Affinity::ema).sum().backward();
  for (const auto& [name, tensor] : network.named_parameters())
    EXPECT_EQ(tensor.grad().defined(), Network::depth_of(name) >= 3) << name;
  for (const auto& [name, tensor] : network.state()) {
    const bool is_statistic = name.ends_with("running_mean");
    if (is_statistic) EXPECT_EQ(tensor.equal(before[name]), Network::depth_of(name) < 3) << name;
  }
}

TEST(Freezing, CountsThePartsFromThePictureToTheHead) {
  EXPECT_EQ(Network::depth_of("conv1.weight"), 0);
  EXPECT_EQ(Network::depth_of("bn1.bias"), 0);
  EXPECT_EQ(Network::depth_of("layer1.0.conv1.weight"), 1);
  EXPECT_EQ(Network::depth_of("layer4.1.bn2.weight"), 4);
  EXPECT_EQ(Network::depth_of("arm.bn.weight"), 5);
  EXPECT_EQ(Network::depth_of("fc.weight"), 5);
}

}  // namespace
}  // namespace fer
