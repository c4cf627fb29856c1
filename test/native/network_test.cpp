#include "models/network.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/precision.h"
#include "inference/inference.h"
#include "models/head.h"

namespace fer {
namespace {

NetworkSpec spec(const std::string& head, const std::string& stem, int64_t size, Affinity affinity) {
  return {.backbone = "resnet18",
          .head = head,
          .stem = stem,
          .classes = 7,
          .affinity = affinity,
          .input = {.size = size, .color = Color::rgb, .normalization = {{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}}}};
}

/// Takes a few training steps' worth of statistics, so that norms and the generic part are not at their start.
void warm_up(Network& network, int64_t size) {
  at::NoGradGuard no_grad;
  network.train(true);
  for (int i = 0; i < 5; ++i) network.logits(at::randn({8, 3, size, size}), network.spec().affinity);
  network.train(false);
}

at::Tensor named(const Network& network, const std::string& name) {
  for (const auto& entry : network.state()) {
    if (entry.name == name) return entry.tensor;
  }
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

struct Row {
  std::string backbone, head, stem;
};

std::vector<Row> every_row() {
  std::vector<Row> rows;
  for (const auto& backbone : backbones().names()) {
    for (const auto& head : heads().names()) {
      for (const auto& stem : stems().names()) rows.push_back({backbone, head, stem});
    }
  }
  return rows;
}

class CatalogRows : public testing::TestWithParam<Row> {
 protected:
  Network make(uint64_t seed) {
    auto made =
        spec(GetParam().head, GetParam().stem, size(), GetParam().head == "arm" ? Affinity::ema : Affinity::none);
    made.backbone = GetParam().backbone;
    return {made, seed};
  }
  int64_t size() const { return GetParam().stem == "standard" ? 112 : GetParam().stem == "medium" ? 64 : 32; }
};

TEST_P(CatalogRows, GivesOneLogitAClassAndAGradientToEveryParameter) {
  at::manual_seed(1);
  auto network = make(3);
  network.train(true);
  const auto logits = network.logits(at::randn({4, 3, size(), size()}), network.spec().affinity);
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({4, 7}));
  at::cross_entropy_loss(logits, at::arange(4)).backward();
  for (const auto& parameter : network.parameters()) {
    ASSERT_TRUE(parameter.grad().defined());
    EXPECT_GT(parameter.grad().abs().max().item<double>(), 0.0);
  }
}

TEST_P(CatalogRows, CopiesItsStateIntoAnotherThatThenAnswersTheSame) {
  at::manual_seed(2);
  auto network = make(3), other = make(4);
  warm_up(network, size());
  const auto images = at::randn({3, 3, size(), size()});
  const auto affinity = network.spec().affinity;
  at::NoGradGuard no_grad;
  other.train(false);
  other.load(sources_of(network.state()));
  EXPECT_EQ(largest_difference(network.logits(images, affinity), other.logits(images, affinity)), 0.0);
}

TEST_P(CatalogRows, AnswersOneImageAsItDoesInABatch) {
  at::manual_seed(3);
  auto network = make(5);
  warm_up(network, size());
  at::NoGradGuard no_grad;
  const auto images = at::randn({6, 3, size(), size()});
  const auto together = network.logits(images, network.spec().affinity).softmax(1);
  for (int64_t i = 0; i < 6; ++i) {
    const auto alone = network.logits(images.narrow(0, i, 1), network.spec().affinity).softmax(1);
    EXPECT_LT(largest_difference(alone, together.narrow(0, i, 1)), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Every, CatalogRows, testing::ValuesIn(every_row()), [](const auto& info) {
  return info.param.backbone + "_" + info.param.head + "_" + info.param.stem;
});

TEST(Network, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  Network a(spec("arm", "small", 32, Affinity::ema), 1), b(spec("arm", "small", 32, Affinity::ema), 1),
      c(spec("arm", "small", 32, Affinity::ema), 2);
  for (size_t i = 0; i < a.state().size(); ++i) EXPECT_TRUE(a.state()[i].tensor.equal(b.state()[i].tensor));
  EXPECT_FALSE(a.state()[0].tensor.equal(c.state()[0].tensor));
}

TEST(Network, HasTorchvisionsAndTheOfficialNames) {
  Network network(spec("arm", "standard", 224, Affinity::ema), 1);
  warm_up(network, 224);
  EXPECT_EQ(named(network, "conv1.weight").sizes(), at::IntArrayRef({64, 3, 7, 7}));
  EXPECT_EQ(named(network, "layer1.0.conv1.weight").sizes(), at::IntArrayRef({64, 64, 3, 3}));
  EXPECT_EQ(named(network, "layer2.0.downsample.0.weight").sizes(), at::IntArrayRef({128, 64, 1, 1}));
  EXPECT_EQ(named(network, "layer4.1.bn2.running_var").sizes(), at::IntArrayRef({512}));
  EXPECT_EQ(named(network, "arm.de_albino.weight").sizes(), at::IntArrayRef({1, 1, 32, 32}));
  EXPECT_EQ(named(network, "arm.bn.weight").sizes(), at::IntArrayRef({2}));
  EXPECT_EQ(named(network, "arm.alpha").sizes(), at::IntArrayRef({1}));
  EXPECT_EQ(named(network, "arm.generic").sizes(), at::IntArrayRef({11, 11}));
  EXPECT_EQ(named(network, "fc.weight").sizes(), at::IntArrayRef({7, 121}));
  // 120 tensors of torchvision's resnet18 without fc, six of ARM's norm and kernel, alpha, generic, two of fc.
  EXPECT_EQ(network.state().size(), 120U + 6U + 2U + 2U);
}

TEST(Affinity, FoldingTheGenericPartIntoTheBiasChangesNothing) {
  at::manual_seed(4);
  Network network(spec("arm", "medium", 64, Affinity::ema), 6);
  warm_up(network, 64);
  at::NoGradGuard no_grad;
  named(network, "arm.alpha").fill_(1.7);
  const auto images = at::randn({5, 3, 64, 64});
  const auto unfolded =
      at::linear(network.features(images, Affinity::ema), named(network, "fc.weight"), named(network, "fc.bias"));
  EXPECT_LT(largest_difference(network.logits(images, Affinity::ema), unfolded), 1e-5);
}

TEST(Affinity, EmaAddsTheRunningMeanAndBatchTheMeanOfTheBatch) {
  at::manual_seed(5);
  Network network(spec("arm", "medium", 64, Affinity::ema), 7);
  warm_up(network, 64);
  at::NoGradGuard no_grad;
  const auto images = at::randn({5, 3, 64, 64});
  const auto unique = network.features(images, Affinity::none);
  const auto generic = named(network, "arm.generic");
  EXPECT_LT(largest_difference(network.features(images, Affinity::ema), unique + generic.flatten()),
            1e-5);  // alpha starts at 1
  EXPECT_LT(largest_difference(network.features(images, Affinity::batch), unique + unique.mean(0)), 1e-5);
}

TEST(Affinity, TheRunningGenericPartMovesATenthOfTheWayToTheBatchMean) {
  at::manual_seed(6);
  Network network(spec("arm", "medium", 64, Affinity::ema), 8);
  at::NoGradGuard no_grad;
  const auto images = at::randn({6, 3, 64, 64});
  network.train(true);
  const auto shared = network.features(images, Affinity::ema);  // U + G, G the batch mean: its mean is 2 G
  EXPECT_LT(largest_difference(named(network, "arm.generic").flatten(), shared.mean(0) / 2 * 0.1), 1e-6);
}

TEST(Affinity, WithoutARunningGenericPartEmaIsAnErrorAndNoneIsNot) {
  Network network(spec("arm", "medium", 64, Affinity::ema), 9);
  try {
    network.check_affinity(Affinity::ema);
    FAIL() << "expected ERR_UNCALIBRATED";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_UNCALIBRATED");
  }
  EXPECT_NO_THROW(network.check_affinity(Affinity::none));
}

TEST(Affinity, TrainedWithNoneThereIsNoAlphaAndNothingToShare) {
  Network network(spec("arm", "medium", 64, Affinity::none), 10);
  for (const auto& entry : network.state()) EXPECT_NE(entry.name, "arm.alpha");
  EXPECT_THROW(network.check_affinity(Affinity::ema), Error);
}

TEST(ImageSize, IsRefusedWhereTheHeadGetsFewerThanTwoFeaturesAClass) {
  // 7 classes need s^2 >= 14, so s = 5, h = 4: 97 pixels with the standard stem, which divides by 32 rounding up.
  try {
    Network network(spec("arm", "standard", 64, Affinity::ema), 1);
    FAIL() << "expected ERR_IMAGE_SIZE";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_IMAGE_SIZE");
    EXPECT_NE(std::string(error.what()).find("at least 97"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(Network(spec("arm", "standard", 97, Affinity::ema), 1));
  EXPECT_NO_THROW(Network(spec("gap", "standard", 64, Affinity::none), 1));
}

void expect_refused(Network& network, std::vector<NamedTensor> tensors, const std::string& words) {
  try {
    network.load(sources_of(tensors));
    FAIL() << "expected ERR_BAD_MODEL: " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_BAD_MODEL");
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(State, RefusesNumbersThatAreNotFiniteOrNotOfTheirKindAndNamesThatAreMissingOrTooMany) {
  Network network(spec("arm", "small", 32, Affinity::ema), 1);
  auto damaged = network.state();
  const auto original = damaged[0].tensor.clone();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    damaged[0].tensor = original.clone();
    damaged[0].tensor[5][2][1][0] = value;
    expect_refused(network, damaged, "`conv1.weight` holds a number that is not finite");
  }
  damaged[0].tensor = original.to(at::kLong);
  expect_refused(network, damaged, "`conv1.weight` holds whole numbers");
  damaged[0].tensor = original;
  damaged.push_back({"more", at::zeros({1})});
  expect_refused(network, damaged, "`more` that the network does not know");
  damaged.pop_back();
  damaged.erase(damaged.begin());
  expect_refused(network, damaged, "no tensor `conv1.weight`");
}

TEST(State, ATensorThatDoesNotFitIsNeverRead) {
  Network network(spec("arm", "small", 32, Affinity::ema), 1);
  auto sources = sources_of(network.state());
  sources[0].shape = {1 << 20, 1 << 20, 1 << 20};
  sources[0].read = []() -> at::Tensor { throw std::logic_error("was read"); };
  EXPECT_THROW(network.load(sources), Error);
}

TEST(State, SomeTensorsCanBeTakenOverAlone) {
  Network network(spec("arm", "small", 32, Affinity::ema), 1), other(spec("arm", "small", 32, Affinity::ema), 2);
  const auto untouched = named(network, "fc.weight").clone();
  network.adopt(sources_of({{"conv1.weight", named(other, "conv1.weight")}}));
  EXPECT_TRUE(named(network, "conv1.weight").equal(named(other, "conv1.weight")));
  EXPECT_TRUE(named(network, "fc.weight").equal(untouched));
  EXPECT_THROW(network.adopt(sources_of({{"conv9.weight", at::zeros({1})}})), Error);
}

TEST(Calibrate, SetsTheGenericPartToTheMeanUniquePartOfThePictures) {
  at::manual_seed(8);
  const auto shared = std::make_shared<Network>(spec("arm", "small", 32, Affinity::ema), 1);
  auto& network = *shared;
  warm_up(network, 32);
  const ImageSet faces{
      .pixels = at::randint(0, 256, {7, 32, 32, 3}, at::kByte), .labels = at::zeros({7}, at::kLong), .targets = {}};
  const InferenceOptions options{.affinity = Affinity::ema,
                                 .precision = Precision::float32,
                                 .device = at::kCPU,
                                 .batch_size = 3,
                                 .ranges = {},
                                 .flip = false};
  const std::vector<int64_t> chosen{6, 1, 2, 3};
  Predictor predictor(shared);
  calibrate(predictor, faces, chosen, options, Cancellation(), [](int64_t) {});
  at::NoGradGuard no_grad;
  const auto images = preprocess(faces.pixels.index_select(0, at::tensor(chosen)), network.spec().input);
  const auto expected = network.features(images, Affinity::none).mean(0);
  EXPECT_LT(largest_difference(named(network, "arm.generic").flatten(), expected), 1e-5);
  EXPECT_TRUE(network.calibrated());
  // Within that very group, the published behaviour is then what the running part gives.
  EXPECT_LT(largest_difference(network.logits(images, Affinity::ema), network.logits(images, Affinity::batch)), 1e-4);
}

TEST(State, NamesTheTensorThatDoesNotFit) {
  Network network(spec("arm", "small", 32, Affinity::ema), 1), wide(spec("arm", "small", 40, Affinity::ema), 1);
  try {
    network.load(sources_of(wide.state()));
    FAIL() << "expected ERR_BAD_MODEL";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_BAD_MODEL");
    EXPECT_NE(std::string(error.what()).find("fc.weight"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fer
