#include "inference/explain.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

constexpr Normalization plain{{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}};

/// A network whose running statistics are those of a batch.
std::shared_ptr<Network> seen(const std::string& head) {
  auto network = std::make_shared<Network>(NetworkSpec{.backbone = "resnet18",
                                                       .head = head,
                                                       .stem = "small",
                                                       .classes = 7,
                                                       .affinity = head == "arm" ? Affinity::ema : Affinity::none,
                                                       .input = {32, Color::rgb, plain}},
                                           1);
  at::NoGradGuard no_grad;
  network->train(true);
  network->logits(at::randn({8, 3, 32, 32}), network->spec().affinity);
  network->train(false);
  return network;
}

InferenceOptions options(const Network& network) {
  return {.affinity = network.spec().affinity,
          .precision = Precision::float32,
          .device = at::kCPU,
          .batch_size = 1,
          .ranges = {},
          .flip = false};
}

Input picture() {
  at::manual_seed(6);
  return {.pixels = at::randint(0, 256, {40, 30, 3}, at::kByte), .box = {}};
}

TEST(Explain, EvidenceAddsUpToTheLogitsOfThePicture) {
  for (const std::string head : {"arm", "gap"}) {
    Predictor predictor(seen(head));
    const auto settings = options(*predictor.network());
    const auto explanation = explain(predictor, picture(), settings, Cancellation());
    const auto logits = infer(predictor, {picture()}, settings, Output::logits, Cancellation())[0];
    EXPECT_LT((explanation.logits - logits).abs().max().item<double>(), 1e-4) << head;
    const auto sum = explanation.evidence.sum({1, 2}) + explanation.bias;
    EXPECT_LT((sum - logits).abs().max().item<double>(), 1e-4) << head;
  }
}

TEST(Explain, GradCamIsThatOfAutomaticDifferentiation) {
  for (const std::string head : {"arm", "gap"}) {
    Predictor predictor(seen(head));
    auto& network = *predictor.network();
    const auto settings = options(network);
    const auto explanation = explain(predictor, picture(), settings, Cancellation());
    auto map = infer(predictor, {picture()}, settings, Output::map, Cancellation()).clone().requires_grad_();
    const auto logits = network.read(map, settings.affinity, Output::logits);
    for (int64_t k = 0; k < 7; ++k) {
      const auto gradient = torch::autograd::grad({logits[0][k]}, {map}, {}, /*retain_graph=*/true)[0];
      const auto expected = (gradient.mean({2, 3}, true) * map).sum(1).relu()[0];
      EXPECT_LT((explanation.grad_cam[k] - expected).abs().max().item<double>(), 1e-4) << head;
    }
  }
}

TEST(Explain, DeAlbinoCountsTheBorderLess) {
  Predictor predictor(seen("arm"));
  const auto reach = explain(predictor, picture(), options(*predictor.network()), Cancellation()).reach;
  EXPECT_EQ(reach.sizes(), (std::vector<int64_t>{4, 4}));
  EXPECT_NEAR(reach.mean().item<double>(), 1, 1e-5);
  // Of 4 x 4 places the inner ones are read by every phase, those of the border by fewer.
  EXPECT_LT(reach[0][0].item<double>(), reach[0][1].item<double>());
  EXPECT_LT(reach[0][1].item<double>(), reach[1][1].item<double>());
}

TEST(Explain, ReachIsTheSumOfTheKernelsThatReadAPlace) {
  const auto network = seen("arm");
  at::Tensor kernel;
  for (const auto& [name, tensor] : network->named_parameters()) {
    if (name == "arm.de_albino.weight") kernel = tensor.detach().abs().view({32, 32});
  }
  // Output (i, j) of 5 x 5 reads pixels 8 i to 8 i + 31 of the 64 x 64 arranged ones; a place is 16 x 16 of them.
  auto read = at::zeros({64, 64});
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 5; ++j) read.narrow(0, 8 * i, 32).narrow(1, 8 * j, 32).add_(kernel);
  }
  auto expected = at::zeros({4, 4});
  for (int64_t y = 0; y < 4; ++y) {
    for (int64_t x = 0; x < 4; ++x) expected[y][x] = read.narrow(0, 16 * y, 16).narrow(1, 16 * x, 16).sum();
  }
  EXPECT_LT((network->reach() - expected / expected.mean()).abs().max().item<double>(), 1e-5);
}

TEST(Explain, WithoutDeAlbinoAllPlacesCountAlike) { EXPECT_FALSE(seen("gap")->reach().defined()); }

TEST(Flip, AnswersTheMeanOfAPictureAndItsMirrorImage) {
  Predictor predictor(seen("arm"));
  auto settings = options(*predictor.network());
  const auto answer = [&](const at::Tensor& pixels) {
    return infer(predictor, {{.pixels = pixels, .box = {}}}, settings, Output::logits, Cancellation());
  };
  const auto pixels = picture().pixels;
  const auto one = answer(pixels), other = answer(pixels.flip(1).contiguous());
  settings.flip = true;
  EXPECT_LT((answer(pixels) - (one + other) / 2).abs().max().item<double>(), 1e-5);
  EXPECT_GT((one - other).abs().max().item<double>(), 1e-3);
}

}  // namespace
}  // namespace fer
