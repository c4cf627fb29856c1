// What only a GPU can show: that what it computes agrees with the CPU. Skipped where there is none; `npm run
// test:cuda`.
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/device.h"
#include "data/augment_batch.h"
#include "every_augmentation.h"
#include "inference/predictor.h"
#include "inference/replay.h"
#include "ops/de_albino/de_albino.h"
#include "ops/norm_relu_pool/norm_relu_pool.h"
#include "ops/resize/resize.h"
#include "optim/optimizer.h"
#include "training/trainer.h"

namespace fer {
namespace {

const at::Device gpu(at::kCUDA, 0);

class Cuda : public testing::Test {
 protected:
  void SetUp() override {
    if (!cuda) GTEST_SKIP() << "built for the CPU alone";
    if (usable_gpus().empty()) GTEST_SKIP() << "no GPU: " << cuda->problem();
    ASSERT_EQ(parse_device("cuda"), gpu);
    at::manual_seed(50);
  }
};

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const auto exact = expected.to(at::kDouble);
  return ((actual.cpu().to(at::kDouble) - exact).norm() / exact.norm().clamp_min(1e-12)).item<double>();
}

at::Tensor map(at::IntArrayRef sizes, at::ScalarType dtype = at::kBFloat16) {
  return at::randn(sizes).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor sent(const at::Tensor& tensor) { return tensor.detach().to(gpu); }

TEST_F(Cuda, DeAlbinoAndItsGradientsAgreeWithTheCpu) {
  for (const auto& [dtype, tolerance] : {std::pair{at::kDouble, 1e-10}, {at::kFloat, 1e-4}, {at::kBFloat16, 1e-2}}) {
    const auto features = map({3, 512, 7, 6}, dtype), kernel = at::randn({32, 32}).to(dtype);
    const auto results = [](const at::Tensor& x, const at::Tensor& weight) {
      const auto a = x.detach().requires_grad_(), b = weight.detach().requires_grad_();
      const auto output = de_albino(a, b);
      auto all = torch::autograd::grad({output}, {a, b}, {at::ones_like(output)});
      all.push_back(output.detach());
      return all;
    };
    const auto expected = results(features, kernel), actual = results(sent(features), sent(kernel));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_LT(relative_error(actual[i], expected[i]), tolerance) << i;
  }
}

/// The outputs and gradients of norm, addition, ReLU, with or without the pooling of a stem.
std::vector<at::Tensor> normed(const at::Tensor& given, const at::Tensor& added, bool relu, bool pools,
                               at::Device device) {
  const auto on = [device](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().to(device).requires_grad_() : at::Tensor();
  };
  const auto x = on(given), addend = on(added);
  const auto channels = given.size(1);
  const Norm norm{on(at::linspace(0.5, 1.5, channels)),
                  on(at::linspace(-1, 1, channels)),
                  at::zeros({channels}).to(device),
                  at::ones({channels}).to(device),
                  0.1,
                  1e-5};
  const auto output = pools ? norm_relu_pool(x, norm) : norm_relu(x, addend, norm, relu);
  std::vector<at::Tensor> inputs{x, norm.weight, norm.bias};
  if (addend.defined()) inputs.push_back(addend);
  at::Tensor slope = at::linspace(-1, 1, output.numel()).view_as(output).to(device, output.scalar_type());
  auto all = torch::autograd::grad({output}, inputs, {slope.contiguous(at::MemoryFormat::ChannelsLast)});
  all.insert(all.end(), {output.detach(), norm.running_mean, norm.running_variance});
  return all;
}

TEST_F(Cuda, NormsAndTheirGradientsAgreeWithTheCpu) {
  for (const int64_t channels : {16, 48, 64, 512}) {
    const auto x = map({5, channels, 13, 9}), addend = map({5, channels, 13, 9});
    for (const auto& [adds, relu, pools] :
         {std::tuple{false, true, false}, {true, true, false}, {true, false, false}, {false, true, true}}) {
      const auto added = adds ? addend : at::Tensor();
      const auto expected = normed(x, added, relu, pools, at::kCPU), actual = normed(x, added, relu, pools, gpu);
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_LT(relative_error(actual[i], expected[i]), 2e-3) << channels << " channels, result " << i;
      }
    }
  }
}

TEST_F(Cuda, SumsAreTheSameFromRunToRun) {
  const auto x = map({32, 64, 56, 56});
  const auto first = normed(x, {}, true, false, gpu), second = normed(x, {}, true, false, gpu);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(first[i].equal(second[i])) << i;
}

TEST_F(Cuda, PreprocessingAgreesWithTheCpu) {
  const auto pixels = at::randint(0, 256, {3, 50, 41, 3}, at::kByte);
  for (const auto color : {Color::grey, Color::rgb}) {
    const InputFormat format{50, color, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}}};
    const auto same = pixels.narrow(2, 0, 41);
    const auto expected = preprocess(same, format), actual = preprocess(sent(same), format);
    // Resizing rounds twice on the CPU and once on the GPU: a level, 1/255 by a deviation of 0.2, of a pixel.
    EXPECT_LT((actual.cpu() - expected).abs().max().item<float>(), 1.5F / 255 / 0.2F);
  }
}

TEST_F(Cuda, AugmentationAgreesWithTheCpu) {
  const auto settings = everything();
  const InputFormat format{40, Color::rgb, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}}};
  PictureBatch batch;
  auto expected = at::empty({32, 40, 40, 3});
  for (int64_t i = 0; i < 32; ++i) {
    const auto picture = at::randint(0, 256, {1, 48 + i, 48, i % 2 == 0 ? 1 : 3}, at::kByte);
    const Position position{11, 2, static_cast<uint64_t>(i)};
    batch.add(picture, settings, format, position);
    augment(picture.const_data_ptr<uint8_t>(), 48 + i, 48, picture.size(3), settings, format, position,
            expected[i].mutable_data_ptr<float>());
  }
  const auto actual = augment_on_gpu(batch, format, at::kFloat, gpu);
  EXPECT_LT((actual.cpu() - expected).abs().max().item<float>(), 1e-2F);
}

const InputFormat small{64, Color::rgb, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.3F, 0.4F}}};

std::shared_ptr<Network> network() {
  auto made = std::make_shared<Network>(NetworkSpec{.backbone = "resnet18",
                                                    .head = "arm",
                                                    .stem = "medium",
                                                    .classes = 7,
                                                    .affinity = Affinity::none,
                                                    .input = small},
                                        3);
  made->train(false);
  return made;
}

at::Tensor faces(int64_t count) { return at::randint(0, 256, {count, 64, 64, 3}, at::kByte); }

at::Tensor answer(Predictor& predictor, const at::Tensor& pixels, at::Device device,
                  Precision precision = Precision::float32) {
  c10::InferenceMode inference;
  return predictor.answer([&](int64_t first, int64_t last) { return pixels.slice(0, first, last); }, 0, pixels.size(0),
                          {Affinity::none, precision, device, pixels.size(0), {}, false}, Output::logits);
}

TEST_F(Cuda, PlansAgreeWithTheCpu) {
  Predictor predictor(network());
  for (const int64_t count : {1, 3, 200}) {
    const auto pixels = faces(count), expected = answer(predictor, pixels, at::kCPU);
    // The first time of a shape is computed, the second recorded as a graph and replayed, later ones replayed.
    const auto first = answer(predictor, pixels, gpu);
    EXPECT_LT(relative_error(first, expected), 1e-3);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(answer(predictor, pixels, gpu).equal(first));
    EXPECT_LT(relative_error(answer(predictor, pixels, gpu, Precision::bfloat16), expected), 0.1);
  }
}

// Of three shapes there are graphs, of seven in turn there are never: four are kept.
TEST_F(Cuda, GraphsReadTheInputThatIsGiven) {
  for (const int64_t shapes : {3, 7}) {
    Predictor predictor(network());
    for (int round = 0; round < 4; ++round) {
      for (int64_t count = 1; count <= shapes; ++count) {
        const auto pixels = faces(count);
        EXPECT_LT(relative_error(answer(predictor, pixels, gpu), answer(predictor, pixels, at::kCPU)), 1e-3);
      }
    }
  }
}

TEST_F(Cuda, WorkThatCannotBeRecordedIsDoneAllTheSame) {
  const auto replay = make_replay();
  const auto input = at::rand({8}, at::TensorOptions().device(gpu));
  int calls = 0;
  // To wait for the GPU is forbidden while a graph is recorded.
  const auto work = [&](const at::Tensor& given) {
    ++calls;
    return given * given.sum().item<float>();
  };
  for (int i = 0; i < 4; ++i) {
    EXPECT_LT(relative_error(replay->run(input, work), (input * input.sum()).cpu()), 1e-6);
  }
  EXPECT_EQ(calls, 5);  // one of them refused
  EXPECT_EQ(at::ones({4}, at::TensorOptions().device(gpu)).sum().item<float>(), 4);
}

TEST_F(Cuda, AnswersOnAStreamOfItsOwn) {
  Predictor predictor(network());
  const auto pixels = faces(4), expected = answer(predictor, pixels, at::kCPU);
  const c10::StreamGuard guard(c10::impl::VirtualGuardImpl(at::kCUDA).getStreamFromGlobalPool(gpu));
  for (int i = 0; i < 3; ++i) EXPECT_LT(relative_error(answer(predictor, pixels, gpu), expected), 1e-3);
}

TEST_F(Cuda, TooLittleMemoryIsAnErrorThatLeavesItUsable) {
  Predictor predictor(network());
  const auto pixels = faces(2), expected = answer(predictor, pixels, at::kCPU);
  EXPECT_THROW(at::empty({int64_t{1} << 42}, at::TensorOptions().dtype(at::kByte).device(gpu)), c10::Error);
  EXPECT_LT(relative_error(answer(predictor, pixels, gpu), expected), 1e-3);
}

/// Losses of a few steps, and the state after them.
std::pair<std::vector<double>, std::vector<NamedTensor>> trained(at::Device device, Precision precision,
                                                                 const std::string& optimizer) {
  at::manual_seed(51);
  const ImageSet set{.pixels = faces(32), .labels = at::arange(32) % 7, .targets = {}};
  std::vector<int64_t> indices(32);
  std::iota(indices.begin(), indices.end(), 0);
  Trainer trainer(
      network(), {Share{set, indices, 1}},
      {.epochs = 2,
       .optimizer = optimizer,
       .optimizer_settings = {.weight_decay = 1e-4, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .averaging = 0.9},
       .schedule = "constant",
       .learning_rate = 1e-3,
       .decay = 1,
       .warmup_epochs = 0,
       .loss = {},
       .clip_norm = 5,
       .sharpness = 0,
       .dropout = 0.1,
       .stochastic_depth = 0.1,
       .freeze = 0,
       .layer_decay = 1,
       .accumulate = 1,
       .precision = precision,
       .device = device,
       .loader = {.batch_size = 8,
                  .classes = 7,
                  .seed = 1,
                  .sampler = "shuffle",
                  .class_limit = 0,
                  .augmentation = everything(),
                  .mixing = {.mixup = 0.2, .cutmix = 0},
                  .format = small,
                  .dtype = precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat,
                  .device = device}});
  std::vector<double> losses;
  trainer.run_until(6, Trainer::Clock::time_point::max(), Cancellation(),
                    [&](const Step& step) { losses.push_back(step.loss); });
  return {losses, trainer.state()};
}

// Rounding grows from step to step; what is drawn at random is the same.
TEST_F(Cuda, TrainingFollowsThatOfTheCpu) {
  for (const auto& optimizer : optimizers().names()) {
    const auto [expected, _] = trained(at::kCPU, Precision::float32, optimizer);
    const auto [exact, state] = trained(gpu, Precision::float32, optimizer);
    EXPECT_NEAR(exact.front(), expected.front(), 1e-3 * expected.front());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(exact[i], expected[i], 0.05 * expected[i]);
    for (const auto& entry : state) EXPECT_TRUE(entry.tensor.is_cpu()) << entry.name;
    const auto [rounded, __] = trained(gpu, Precision::bfloat16, optimizer);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(rounded[i], expected[i], 0.1 * expected[i]);
  }
}

}  // namespace
}  // namespace fer
