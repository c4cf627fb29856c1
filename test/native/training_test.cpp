#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/reference.h"
#include "data/loader.h"
#include "losses/cross_entropy.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "training/trainer.h"

namespace fer {
namespace {

constexpr Augmentation everything{.flip = 0.5F,
                                  .shift = 0.1F,
                                  .scale = 0.2F,
                                  .rotation = 15,
                                  .brightness = 0.2F,
                                  .contrast = 0.2F,
                                  .noise = 0.5F,
                                  .noise_deviation = 5,
                                  .flip_or_noise = 0.5F,
                                  .erase = 0.5F,
                                  .erase_smallest = 0.02F,
                                  .erase_largest = 0.1F,
                                  .coarsen = 0.5F,
                                  .coarsen_smallest = 0.3F};
constexpr Augmentation nothing{};
constexpr Normalization plain{{0, 0, 0}, {1, 1, 1}};

ImageSet random_faces(int64_t count, int64_t side, int64_t channels) {
  at::manual_seed(21);
  return {.pixels = at::randint(0, 256, {count, side, side, channels}, at::kByte),
          .labels = at::arange(count) % 7,
          .targets = {}};
}

/// Of one set, each picture as often.
std::vector<Share> all_of(const ImageSet& images, const std::vector<int64_t>& indices) {
  return {{.images = images, .indices = indices, .weight = 1}};
}

LoaderOptions loader_options(int64_t batch, uint64_t seed, const Augmentation& augmentation, int64_t size = 32) {
  return {.batch_size = batch,
          .classes = 7,
          .seed = seed,
          .sampler = "shuffle",
          .class_limit = 0,
          .augmentation = augmentation,
          .mixing = {},
          .format = {size, Color::rgb, plain},
          .dtype = at::kFloat,
          .device = at::kCPU};
}

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

TEST(Augment, DoingNothingGivesThePixelsOver255) {
  const auto faces = random_faces(1, 32, 3);
  auto output = at::empty({32, 32, 3});
  augment(faces.pixels.const_data_ptr<uint8_t>(), 32, 32, 3, nothing, {32, Color::rgb, plain}, {1, 2, 3},
          output.mutable_data_ptr<float>());
  EXPECT_LT((output - faces.pixels[0].to(at::kFloat) / 255).abs().max().item<float>(), 1e-6F);
}

TEST(Augment, ACertainFlipMirrorsThePicture) {
  const auto faces = random_faces(1, 32, 1);
  auto settings = nothing;
  settings.flip = 1.0F;
  auto output = at::empty({32, 32, 3});
  augment(faces.pixels.const_data_ptr<uint8_t>(), 32, 32, 1, settings, {32, Color::grey, plain}, {1, 2, 3},
          output.mutable_data_ptr<float>());
  const auto expected = faces.pixels[0].flip(1).expand({32, 32, 3}).to(at::kFloat) / 255;
  EXPECT_LT((output - expected).abs().max().item<float>(), 1e-4F);
}

TEST(Augment, ErasesTheShareAskedFor) {
  auto settings = nothing;
  settings.erase = 1.0F;
  settings.erase_smallest = settings.erase_largest = 0.1F;
  const std::vector<uint8_t> white(64 * 64, 255);
  auto output = at::empty({64, 64, 3});
  for (uint64_t position = 0; position < 20; ++position) {
    augment(white.data(), 64, 64, 1, settings, {64, Color::grey, plain}, {5, 0, position},
            output.mutable_data_ptr<float>());
    const double erased = 1.0 - output.select(2, 0).mean().item<double>();
    // The sides of a rectangle of 410 pixels are rounded, at the extreme ratio of 3.3 from 11.1 and 36.8.
    EXPECT_NEAR(erased, 0.1, 0.006);
  }
}

TEST(Augment, TheAlternativeIsAFlipOrNoiseAndNeverBothOrNeither) {
  // A ramp from left to right, whose mirror image no noise of deviation 1 can be taken for.
  const auto ramp = (at::arange(32) * 7 + 10).to(at::kByte).view({1, 32, 1}).expand({32, 32, 1}).contiguous();
  const auto plain_levels = ramp.expand({32, 32, 3}).to(at::kFloat) / 255;
  auto settings = nothing;
  settings.noise_deviation = 1.0F;
  auto output = at::empty({32, 32, 3});
  const auto count = [&](float probability) {
    settings.flip_or_noise = probability;
    int64_t flips = 0, noises = 0;
    for (uint64_t index = 0; index < 400; ++index) {
      augment(ramp.const_data_ptr<uint8_t>(), 32, 32, 1, settings, {32, Color::grey, plain}, {1, 2, index},
              output.mutable_data_ptr<float>());
      const bool flipped = output[0][0][0].item<float>() > 0.5F;
      const auto distance = (output - (flipped ? plain_levels.flip(1) : plain_levels)).abs().max().item<float>();
      const bool noisy = distance > 0.5F / 255;
      EXPECT_FALSE(flipped && noisy);
      flips += flipped;
      noises += noisy;
    }
    return std::pair(flips, noises);
  };
  EXPECT_EQ(count(0), std::pair(int64_t{0}, int64_t{0}));
  const auto [flips, noises] = count(1);
  EXPECT_EQ(flips + noises, 400);
  EXPECT_NEAR(static_cast<double>(flips), 200, 40);  // four standard deviations of a fair coin
  const auto [some_flips, some_noises] = count(0.5F);
  EXPECT_NEAR(static_cast<double>(some_flips + some_noises), 200, 40);
}

TEST(Augment, NoiseHasTheDeviationAskedFor) {
  auto settings = nothing;
  settings.noise = 1.0F;
  settings.noise_deviation = 10.0F;
  const std::vector<uint8_t> grey(128 * 128, 128);
  auto output = at::empty({128, 128, 3});
  augment(grey.data(), 128, 128, 1, settings, {128, Color::grey, plain}, {5, 0, 0}, output.mutable_data_ptr<float>());
  // 16384 draws: the standard error of the deviation is 10 / sqrt(2 * 16384) = 0.06 grey levels.
  EXPECT_NEAR(output.select(2, 0).std().item<double>() * 255, 10.0, 0.25);
  EXPECT_NEAR(output.mean().item<double>() * 255, 128.0, 0.35);
}

/// A picture whose level grows by `across` a pixel to the right and `down` a pixel downwards: bilinear reading of it is
/// exact wherever it reads.
std::vector<uint8_t> ramp(int64_t height, int64_t width, int across, int down) {
  std::vector<uint8_t> pixels;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) pixels.push_back(static_cast<uint8_t>(across * x + down * y));
  }
  return pixels;
}

/// Levels of the augmented ramp, (size, size).
at::Tensor augmented(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t size,
                     const Augmentation& settings, uint64_t position) {
  auto output = at::empty({size, size, 3});
  augment(pixels.data(), height, width, 1, settings, {size, Color::grey, plain}, {9, 0, position},
          output.mutable_data_ptr<float>());
  return output.select(2, 0) * 255;
}

TEST(Augment, ResizesBothAxesAboutPixelCentres) {
  // Output centre (x + 0.5) of 32 lies at (x + 0.5) * 64 / 32 of 64 pixels: level 2 x + 0.5 across, and 3 y + 1 down
  // of 96.
  const auto across = augmented(ramp(96, 64, 1, 0), 96, 64, 32, nothing, 0);
  const auto down = augmented(ramp(96, 64, 0, 1), 96, 64, 32, nothing, 0);
  EXPECT_LT((across - (at::arange(32) * 2 + 0.5).view({1, 32})).abs().max().item<float>(), 1e-3F);
  EXPECT_LT((down - (at::arange(32) * 3 + 1).view({32, 1})).abs().max().item<float>(), 1e-3F);
}

TEST(Augment, ShiftsWithinItsLimitAndKeepsTheSlope) {
  auto settings = nothing;
  settings.shift = 0.1F;
  double widest = 0;
  for (uint64_t position = 0; position < 50; ++position) {
    const auto levels = augmented(ramp(64, 64, 2, 0), 64, 64, 64, settings, position);
    // Away from the edges, which repeat: two levels a pixel, moved by at most a tenth of 64 pixels.
    EXPECT_NEAR((levels[32][40] - levels[32][39]).item<double>(), 2.0, 1e-3);
    const double moved = levels[32][32].item<double>() / 2 - 32;
    EXPECT_LE(std::abs(moved), 6.4 + 1e-3);
    widest = std::max(widest, std::abs(moved));
  }
  EXPECT_GT(widest, 4.0);
}

TEST(Augment, ScalesAndTurnsAboutTheCentre) {
  auto settings = nothing;
  settings.scale = 0.25F;
  settings.rotation = 30;
  for (uint64_t position = 0; position < 20; ++position) {
    const auto levels = augmented(ramp(65, 65, 2, 0), 65, 65, 65, settings, position);
    EXPECT_NEAR(levels[32][32].item<double>(), 64.0, 1e-2);  // the middle pixel stays
    // The gradient is 2 levels times the step, turned: its length is 2 / zoom, zoom between 1 / 1.25 and 1.25.
    const double x = (levels[32][33] - levels[32][31]).item<double>() / 2,
                 y = (levels[33][32] - levels[31][32]).item<double>() / 2;
    const double length = std::hypot(x, y);
    EXPECT_GE(length, 2 / 1.25 - 1e-2);
    EXPECT_LE(length, 2 * 1.25 + 1e-2);
    EXPECT_LE(std::abs(std::atan2(y, x)), 30.0 * M_PI / 180 + 1e-3);
  }
}

TEST(Augment, BrightensByAFactorWithinItsLimit) {
  auto settings = nothing;
  settings.brightness = 0.2F;
  const std::vector<uint8_t> grey(32 * 32, 100);
  double least = 1e9, most = 0;
  for (uint64_t position = 0; position < 50; ++position) {
    const double level = augmented(grey, 32, 32, 32, settings, position).mean().item<double>();
    least = std::min(least, level);
    most = std::max(most, level);
  }
  EXPECT_GE(least, 80 - 1e-3);
  EXPECT_LE(most, 120 + 1e-3);
  EXPECT_GT(most - least, 30);
}

TEST(Loader, RefusesWhatWouldReadOutsideTheMemory) {
  auto faces = random_faces(5, 32, 1);
  EXPECT_THROW(Loader(all_of(faces, {0, 5}), loader_options(2, 0, nothing)), Error);
  EXPECT_THROW(Loader(all_of(faces, {-1}), loader_options(2, 0, nothing)), Error);
  EXPECT_THROW(Loader(all_of(faces, {}), loader_options(2, 0, nothing)), Error);
  faces.labels = faces.labels.narrow(0, 0, 4);
  EXPECT_THROW(Loader(all_of(faces, {0}), loader_options(2, 0, nothing)), Error);
}

TEST(Loader, MakesLargePicturesSmallerWithoutAliasing) {
  // Stripes one pixel wide: read point by point at every fourth pixel they would come out black or white.
  auto stripes = at::zeros({4, 128, 128, 1}, at::kByte);
  stripes.slice(2, 0, 128, 2).fill_(255);
  Loader loader(all_of({.pixels = stripes, .labels = at::zeros({4}, at::kLong), .targets = {}}, first(4)),
                loader_options(4, 0, nothing, 32));
  const auto inner = loader.next(0).images.slice(3, 4, 28) * 255;
  EXPECT_LT((inner - 127.5).abs().max().item<float>(), 16.0F);
}

TEST(Loader, ABatchDependsOnItsStepAloneWhateverWasAskedBefore) {
  const auto faces = random_faces(50, 32, 3);
  Loader one(all_of(faces, first(50)), loader_options(8, 3, everything)),
      other(all_of(faces, first(50)), loader_options(8, 3, everything));
  std::vector<Batch> in_order;
  for (int64_t step = 0; step < 13; ++step) in_order.push_back(one.next(step));
  for (const int64_t step : {12, 3, 4, 0, 9}) {
    const auto batch = other.next(step);
    EXPECT_TRUE(batch.images.equal(in_order[static_cast<size_t>(step)].images));
    EXPECT_TRUE(batch.targets.equal(in_order[static_cast<size_t>(step)].targets));
  }
}

TEST(Loader, AnEpochShowsEachPictureOnceAndTheNextInAnotherOrder) {
  auto faces = random_faces(48, 32, 1);
  faces.labels = at::arange(48);  // each picture its own label, to follow it
  auto options = loader_options(8, 4, everything);
  options.classes = 48;
  Loader loader(all_of(faces, first(48)), options);
  ASSERT_EQ(loader.batches_per_epoch(), 6);
  std::vector<at::Tensor> epochs;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<at::Tensor> labels;
    for (int64_t i = 0; i < 6; ++i) labels.push_back(loader.next(epoch * 6 + i).targets.argmax(1));
    epochs.push_back(at::cat(labels));
    EXPECT_TRUE(std::get<0>(epochs.back().sort()).equal(at::arange(48)));
  }
  EXPECT_FALSE(epochs[0].equal(epochs[1]));
}

TEST(Loader, TakesOnlyTheIndicesItWasGiven) {
  auto faces = random_faces(20, 32, 1);
  faces.labels = at::arange(20);
  auto options = loader_options(64, 0, nothing);
  options.classes = 20;
  Loader loader(all_of(faces, {3, 5, 11, 17}), options);
  EXPECT_TRUE(std::get<0>(loader.next(0).targets.argmax(1).sort()).equal(at::tensor({3, 5, 11, 17}, at::kLong)));
}

ScheduleSettings schedule_settings(double warmup) {
  return {.learning_rate = 0.1, .decay = 0.9, .warmup_epochs = warmup, .steps_per_epoch = 10, .steps = 100};
}

TEST(Schedule, WarmsUpLinearlyToTheLargestRate) {
  for (const auto& name : schedules().names()) {
    EXPECT_NEAR(learning_rate_at(name, schedule_settings(2), 0), 0.1 / 20, 1e-12) << name;
    EXPECT_NEAR(learning_rate_at(name, schedule_settings(2), 19), 0.1, 1e-12) << name;
  }
}

TEST(Schedule, FollowsItsFormula) {
  const auto settings = schedule_settings(0);
  EXPECT_NEAR(learning_rate_at("constant", settings, 99), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate_at("exponential", settings, 9), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate_at("exponential", settings, 35), 0.1 * 0.9 * 0.9 * 0.9, 1e-12);
  EXPECT_NEAR(learning_rate_at("cosine", settings, 50), 0.05, 1e-12);
  EXPECT_NEAR(learning_rate_at("one-cycle", settings, 0), 0.1 / 25, 1e-12);
  EXPECT_NEAR(learning_rate_at("one-cycle", settings, 30), 0.1, 1e-12);
  EXPECT_LT(learning_rate_at("one-cycle", settings, 99), 0.0003);
}

at::Tensor quadratic_step(const std::string& optimizer, int steps) {
  auto x = at::tensor({1.0F, -2.0F}).requires_grad_();
  const auto settings =
      OptimizerSettings{.weight_decay = 0.1, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0};
  const auto made = optimizers().at(optimizer)({{x, 1}}, settings);
  for (int i = 0; i < steps; ++i) {
    (x * x).sum().backward();
    made->step(0.01, i + 1);
  }
  return x.detach();
}

TEST(Optimizer, AgreesWithLibTorchsOwn) {
  // torch::optim is written independently, one tensor operation after the other.
  const auto reference = [](auto&& make) {
    auto x = at::tensor({1.0F, -2.0F}).requires_grad_();
    auto optimizer = make(std::vector<at::Tensor>{x});
    for (int i = 0; i < 5; ++i) {
      optimizer.zero_grad();
      (x * x).sum().backward();
      optimizer.step();
    }
    return x.detach();
  };
  const auto near = [](const at::Tensor& a, const at::Tensor& b) {
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-6);
  };
  near(quadratic_step("adam", 5),
       reference([](auto x) { return torch::optim::Adam(x, torch::optim::AdamOptions(0.01).weight_decay(0.1)); }));
  near(quadratic_step("adamw", 5),
       reference([](auto x) { return torch::optim::AdamW(x, torch::optim::AdamWOptions(0.01).weight_decay(0.1)); }));
  near(quadratic_step("sgd", 5), reference([](auto x) {
         return torch::optim::SGD(x, torch::optim::SGDOptions(0.01).weight_decay(0.1).momentum(0.9).nesterov(true));
       }));
}

const LossSettings smoothed{.smoothing = 0.1, .focal_gamma = 0, .class_weights = {}};

TEST(Loss, SmoothingMixesTheTargetWithTheUniformDistribution) {
  const auto logits = at::tensor({2.0, 0.0, -1.0}).view({1, 3});
  const auto log_probabilities = logits.log_softmax(1);
  const double expected = -(0.9 * log_probabilities[0][1] + 0.1 * log_probabilities.mean()).item<double>();
  const auto target = at::tensor({0.0, 1.0, 0.0}).view({1, 3});
  EXPECT_NEAR(cross_entropy(logits, target, smoothed).item<double>(), expected, 1e-6);
}

constexpr auto forever = Trainer::Clock::time_point::max();

/// Faces that can be learned: each class has a pattern of its own, under noise.
ImageSet patterned_faces(int64_t count) {
  at::manual_seed(22);
  const auto patterns = at::randint(0, 256, {7, 32, 32, 3}, at::kFloat);
  const auto labels = at::arange(count) % 7;
  const auto noisy = patterns.index_select(0, labels) * 0.1 + at::rand({count, 32, 32, 3}) * 229;
  return {.pixels = noisy.to(at::kByte), .labels = labels, .targets = {}};
}

std::vector<double> losses_of(Precision precision, int64_t steps) {
  const NetworkSpec spec{.backbone = "resnet18",
                         .head = "gap",
                         .stem = "medium",
                         .classes = 7,
                         .affinity = Affinity::none,
                         .input = {32, Color::rgb, plain}};
  Trainer trainer(
      std::make_shared<Network>(spec, 5), all_of(patterned_faces(512), first(512)),
      {.epochs = 100,
       .optimizer = "adam",
       .optimizer_settings = {.weight_decay = 1e-4, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0},
       .schedule = "constant",
       .learning_rate = 3e-4,
       .decay = 1,
       .warmup_epochs = 0,
       .loss = smoothed,
       .clip_norm = 0,
       .sharpness = 0,
       .dropout = 0,
       .stochastic_depth = 0,
       .freeze = 0,
       .layer_decay = 1,
       .accumulate = 1,
       .precision = precision,
       .device = at::kCPU,
       .loader = loader_options(16, 5, nothing)});
  std::vector<double> losses;
  trainer.run_until(steps, Trainer::Clock::time_point::max(), Cancellation(),
                    [&](const Step& step) { losses.push_back(step.loss); });
  return losses;
}

/// The mean over stretches of 20 steps of how far two curves are apart.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  const auto smooth = [](const std::vector<double>& curve) { return at::tensor(curve).view({-1, 20}).mean(1); };
  return (smooth(a) - smooth(b)).abs().mean().item<double>();
}

/// Plain pooling and gradient descent without momentum, eleven faces a batch.
TrainingOptions plain_descent(int64_t accumulate) {
  return {.epochs = 1,
          .optimizer = "sgd",
          .optimizer_settings = {.weight_decay = 0, .momentum = 0, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0},
          .schedule = "constant",
          .learning_rate = 0.1,
          .decay = 1,
          .warmup_epochs = 0,
          .loss = {},
          .clip_norm = 0,
          .sharpness = 0,
          .dropout = 0,
          .stochastic_depth = 0,
          .freeze = 0,
          .layer_decay = 1,
          .accumulate = accumulate,
          .precision = Precision::float32,
          .device = at::kCPU,
          .loader = loader_options(11, 5, nothing)};
}

const NetworkSpec pooled{.backbone = "resnet18",
                         .head = "gap",
                         .stem = "medium",
                         .classes = 7,
                         .affinity = Affinity::none,
                         .input = {32, Color::rgb, plain}};

TEST(Trainer, AccumulatesTheGradientsOfTheMeanLossOverTheParts) {
  const auto faces = patterned_faces(11);
  const auto network = std::make_shared<Network>(pooled, 5), by_hand = std::make_shared<Network>(pooled, 5);
  Trainer trainer(network, all_of(faces, first(11)), plain_descent(3));
  double reported = 0;
  trainer.run_until(1, Trainer::Clock::time_point::max(), Cancellation(),
                    [&](const Step& step) { reported = step.loss; });
  // Of 11 faces in 3 parts: 3, 4 and 4.
  Loader loader(all_of(faces, first(11)), loader_options(11, 5, nothing));
  const auto batch = loader.next(0);
  by_hand->train(true);
  double total = 0;
  for (const auto& [begin, count] : {std::pair{0, 3}, {3, 4}, {7, 4}}) {
    const auto loss = cross_entropy(by_hand->logits(batch.images.narrow(0, begin, count), Affinity::none),
                                    batch.targets.narrow(0, begin, count), {}) *
                      (count / 11.0);
    loss.backward();
    total += loss.item<double>();
  }
  EXPECT_NEAR(reported, total, 1e-6);
  const auto actual = network->named_parameters(), expected = by_hand->named_parameters();
  for (size_t i = 0; i < actual.size(); ++i) {
    const auto moved = expected[i].tensor.detach() - 0.1 * expected[i].tensor.grad();
    EXPECT_LT((actual[i].tensor - moved).abs().max().item<double>(), 1e-6) << actual[i].name;
  }
}

TEST(Trainer, AccumulatesNoMoreThanOneFaceAPart) {
  // One value a channel is no batch for a norm: the last map must have more than one pixel, as at 32 with stem medium.
  const auto network = std::make_shared<Network>(pooled, 5);
  Trainer trainer(network, all_of(patterned_faces(11), first(11)), plain_descent(1024));
  trainer.run_until(1, Trainer::Clock::time_point::max(), Cancellation(), [](const Step&) {});
  EXPECT_EQ(trainer.steps_done(), 1);
}

// How far bfloat16 itself takes a curve from float32 is the measure of how far the fused operators may.
TEST(Trainer, FusedOperatorsLeaveTheLossCurveWithinTheNoiseOfBfloat16) {
  const auto fused = losses_of(Precision::bfloat16, 200), exact = losses_of(Precision::float32, 200);
  ReferenceScope slow;
  const auto reference = losses_of(Precision::bfloat16, 200);
  EXPECT_LT(distance(fused, exact), 1.5 * distance(reference, exact));
  EXPECT_LT(distance(fused, reference), 1.5 * distance(reference, exact));
  EXPECT_LT(exact.back(), 0.5 * exact.front()) << "a curve along which something is learned";
}

TEST(Trainer, AFloat32RunIsNotTouchedByTheFusedOperators) {
  const auto run = losses_of(Precision::float32, 10);
  ReferenceScope slow;
  EXPECT_EQ(losses_of(Precision::float32, 10), run);
}

/// A trainer with everything that could differ from one run to the next switched on.
Trainer full_trainer(Precision precision, const std::string& optimizer, uint64_t seed) {
  const NetworkSpec spec{.backbone = "resnet18",
                         .head = "arm",
                         .stem = "small",
                         .classes = 7,
                         .affinity = Affinity::ema,
                         .input = {32, Color::rgb, plain}};
  const auto network = std::make_shared<Network>(spec, seed);
  TrainingOptions options{
      .epochs = 2,
      .optimizer = optimizer,
      .optimizer_settings = {.weight_decay = 1e-4, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0.9},
      .schedule = "cosine",
      .learning_rate = 1e-3,
      .decay = 0.9,
      .warmup_epochs = 0,
      .loss = smoothed,
      .clip_norm = 1,
      .sharpness = 0,
      .dropout = 0,
      .stochastic_depth = 0,
      .freeze = 0,
      .layer_decay = 1,
      .accumulate = 1,
      .precision = precision,
      .device = at::kCPU,
      .loader = loader_options(8, seed, everything)};
  options.loader.mixing = {.mixup = 0.5, .cutmix = 0.5};
  return {network, all_of(random_faces(32, 32, 3), first(32)), options};
}

std::vector<NamedTensor> trained(Precision precision, const std::string& optimizer, uint64_t seed, int64_t steps) {
  auto trainer = full_trainer(precision, optimizer, seed);
  trainer.run_until(steps, forever, Cancellation(), [](const Step&) {});
  return trainer.state();
}

void expect_equal(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].tensor.equal(b[i].tensor)) << a[i].name;
}

TEST(Trainer, GoesOnFromASavedStateToTheVeryBits) {
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    for (const auto& optimizer : optimizers().names()) {
      auto saved = full_trainer(precision, optimizer, 5);
      saved.run_until(1, forever, Cancellation(), [](const Step&) {});
      std::vector<NamedTensor> copies;
      for (const auto& [name, tensor] : saved.state()) copies.push_back({name, tensor.clone()});
      auto other = full_trainer(precision, optimizer, 6);
      // Seed 6 has drawn other weights; the data depend on it too, so the options must be those of the first.
      auto resumed = full_trainer(precision, optimizer, 5);
      resumed.restore(sources_of(other.state()), 0);
      resumed.restore(sources_of(copies), 1);
      EXPECT_EQ(resumed.steps_done(), 1);
      resumed.run_until(3, forever, Cancellation(), [](const Step&) {});
      expect_equal(resumed.state(), trained(precision, optimizer, 5, 3));
    }
  }
}

TEST(Trainer, AStateWithoutTheOptimizersPartIsRefused) {
  auto trainer = full_trainer(Precision::float32, "adam", 5);
  auto state = trainer.state();
  std::erase_if(state, [](const NamedTensor& entry) { return entry.name == "optimizer.second.conv1.weight"; });
  EXPECT_THROW(trainer.restore(sources_of(state), 1), Error);
}

TEST(Trainer, TakesOneStepAtLeastWhenTheTimeIsOver) {
  auto trainer = full_trainer(Precision::float32, "sgd", 5);
  for (int64_t expected = 1; expected <= 3; ++expected) {
    trainer.run_until(3, Trainer::Clock::now(), Cancellation(), [](const Step&) {});
    EXPECT_EQ(trainer.steps_done(), expected);
  }
}

TEST(Trainer, TheSameSeedGivesTheSameWeightsToTheBit) {
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    for (const auto& optimizer : optimizers().names()) {
      const auto once = trained(precision, optimizer, 5, 2), again = trained(precision, optimizer, 5, 2);
      for (size_t i = 0; i < once.size(); ++i)
        EXPECT_TRUE(once[i].tensor.equal(again[i].tensor)) << optimizer << " " << once[i].name;
    }
  }
  EXPECT_FALSE(
      trained(Precision::float32, "adam", 5, 2)[0].tensor.equal(trained(Precision::float32, "adam", 6, 2)[0].tensor));
}

std::shared_ptr<Network> plain_network() {
  const NetworkSpec spec{.backbone = "resnet18",
                         .head = "gap",
                         .stem = "small",
                         .classes = 7,
                         .affinity = Affinity::none,
                         .input = {32, Color::rgb, plain}};
  return std::make_shared<Network>(spec, 1);
}

Trainer plain_trainer(const std::shared_ptr<Network>& network) {
  return {network,
          all_of(random_faces(32, 32, 1), first(32)),
          {.epochs = 9,
           .optimizer = "sgd",
           .optimizer_settings = {.weight_decay = 0, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0},
           .schedule = "constant",
           .learning_rate = 0.01,
           .decay = 0.9,
           .warmup_epochs = 0,
           .loss = {},
           .clip_norm = 0,
           .sharpness = 0,
           .dropout = 0,
           .stochastic_depth = 0,
           .freeze = 0,
           .layer_decay = 1,
           .accumulate = 1,
           .precision = Precision::float32,
           .device = at::kCPU,
           .loader = loader_options(8, 1, nothing)}};
}

TEST(Trainer, StopsBetweenStepsWhenCancelled) {
  auto trainer = plain_trainer(plain_network());
  Cancellation cancellation;
  const auto cancel_at_two = [&](const Step& step) {
    if (step.step == 2) cancellation.request();
  };
  EXPECT_THROW(trainer.run_until(100, forever, cancellation, cancel_at_two), Error);
  EXPECT_EQ(trainer.steps_done(), 2);
}

TEST(Trainer, ALossThatIsNotANumberIsAnErrorThatLeavesTheWeights) {
  const auto network = plain_network();
  network->parameters().back().data().fill_(std::numeric_limits<float>::quiet_NaN());
  const auto before = network->parameters().front().clone();
  auto trainer = plain_trainer(network);
  try {
    trainer.run_until(1, forever, Cancellation(), [](const Step&) {});
    FAIL() << "expected ERR_DIVERGED";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_DIVERGED");
  }
  EXPECT_TRUE(network->parameters().front().equal(before));
}

TEST(Trainer, AWeightThatIsNotFiniteIsAnErrorEvenWhereTheLossIs) {
  const auto network = plain_network();
  auto trainer = plain_trainer(network);
  // A norm's running statistics take no part in a training step.
  for (const auto& [name, tensor] : network->state()) {
    if (name == "layer4.1.bn2.running_var") tensor.fill_(std::numeric_limits<float>::infinity());
  }
  try {
    trainer.run_until(1, forever, Cancellation(), [](const Step&) {});
    FAIL() << "expected ERR_DIVERGED";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("After step 1 `layer4.1.bn2.running_var`"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace fer
