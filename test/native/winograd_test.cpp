#include "ops/winograd/winograd.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/precision.h"
#include "core/reference.h"
#include "ops/convolution/convolution.h"

namespace fer {
namespace {

struct Case {
  int64_t images, in, out, height, width;
};

class Winograd : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto& [images, in, out, height, width] = GetParam();
    at::manual_seed(31);
    const auto last = at::MemoryFormat::ChannelsLast;
    // Of the size that keeps the spread of the values from layer to layer (He et al., arXiv 1502.01852).
    weight = at::randn({out, in, 3, 3}) * std::sqrt(2.0 / static_cast<double>(9 * in));
    bias = at::randn({out});
    input = at::randn({images, in, height, width}).contiguous(last);
    addend = at::randn({images, out, height, width}).contiguous(last);
    if (!winograd::applies(weight, 1, 1)) GTEST_SKIP() << "this processor has no AVX-512";
  }
  at::Tensor expected(bool adds, bool relu) const {
    auto output = at::conv2d(input.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
    if (adds) output = output + addend;
    return (relu ? output.relu() : output).to(at::kFloat);
  }
  at::Tensor expected_of(const at::Tensor& x) const {
    return at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), {}, 1, 1);
  }
  at::Tensor weight, bias, input, addend;
};

// Values of about 1; float32 holds 6e-8 of them, and the transforms multiply an error by up to 100 (Lavin & Gray,
// 2015), of sums of up to 2,448.
TEST_P(Winograd, AgreesWithTheDefinition) {
  at::NoGradGuard no_grad;
  const auto transformed = winograd::transform_weight(weight);
  for (const bool adds : {false, true}) {
    for (const bool relu : {false, true}) {
      const auto output = winograd::convolution(input, transformed, bias, adds ? addend.clone() : at::Tensor(), relu);
      EXPECT_LT((output - expected(adds, relu)).abs().max().item<double>(), 1.5e-4) << adds << relu;
      EXPECT_TRUE(output.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST_P(Winograd, LaysTheResultInTheMemoryOfTheAddend) {
  at::NoGradGuard no_grad;
  auto memory = addend.clone();
  const auto output = winograd::convolution(input, winograd::transform_weight(weight), bias, memory, true);
  EXPECT_EQ(output.const_data_ptr(), memory.const_data_ptr());
}

TEST_P(Winograd, GivesThePictureTheSameAloneAndOnOneThread) {
  at::NoGradGuard no_grad;
  const auto transformed = winograd::transform_weight(weight);
  const auto together = winograd::convolution(input, transformed, bias, {}, true);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  for (int64_t i = 0; i < input.size(0); ++i) {
    const auto alone = winograd::convolution(input.narrow(0, i, 1), transformed, bias, {}, true);
    EXPECT_LT((alone - together.narrow(0, i, 1)).abs().max().item<double>(), 1e-6);
  }
  at::set_num_threads(threads);
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const auto& [images, in, out, height, width] = info.param;
  return std::to_string(images) + "x" + std::to_string(in) + "to" + std::to_string(out) + "at" +
         std::to_string(height) + "x" + std::to_string(width);
}

// Few channels, for which each thread has tiles of its own, and many, for which all work at one weight, in one chunk
// and in several. Tiles of four: sides that are a multiple, that leave one, two or three, and that are less than a
// tile.
INSTANTIATE_TEST_SUITE_P(Shapes, Winograd,
                         testing::Values(Case{1, 16, 16, 1, 1}, Case{2, 16, 32, 2, 3}, Case{3, 32, 16, 4, 4},
                                         Case{2, 48, 80, 5, 9}, Case{3, 64, 64, 7, 7}, Case{1, 128, 128, 28, 28},
                                         Case{5, 64, 64, 14, 13}, Case{2, 256, 272, 9, 9}, Case{40, 272, 256, 10, 10}),
                         name_of_case);

struct Gradients {
  at::Tensor input, weight;
};

/// By the definition, in float64.
Gradients exact_gradients(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& gradient) {
  const auto result =
      at::convolution_backward(gradient.to(at::kDouble), input.to(at::kDouble), weight.to(at::kDouble), std::nullopt,
                               {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1, {true, true, false});
  return {std::get<0>(result), std::get<1>(result)};
}

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

// float32 holds 6e-8, and the transforms multiply an error by up to 100; bfloat16 rounds the result to 2^-9, evenly
// within that, which is 0.0011 on average.
TEST_P(Winograd, HasTheGradientsOfTheDefinition) {
  at::NoGradGuard no_grad;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto x = input.to(dtype), gradient = addend.to(dtype);
    const auto expected = exact_gradients(x, weight, gradient);
    const double rounding = dtype == at::kFloat ? 5e-6 : 0.003;
    EXPECT_LT(relative_error(winograd::convolution(x, weight), expected_of(x)), rounding);
    EXPECT_LT(relative_error(winograd::input_gradient(gradient, weight), expected.input), rounding);
    EXPECT_LT(relative_error(winograd::weight_gradient(x, gradient), expected.weight), 5e-6) << dtype;
  }
}

TEST_P(Winograd, GivesTheSameGradientsOnOneThreadAndEveryTime) {
  at::NoGradGuard no_grad;
  const auto once = winograd::weight_gradient(input, addend);
  EXPECT_TRUE(once.equal(winograd::weight_gradient(input, addend)));
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_LT(relative_error(winograd::weight_gradient(input, addend), once.to(at::kDouble)), 5e-6);
  at::set_num_threads(threads);
}

TEST_P(Winograd, ReadsMapsAndWeightsThatAreNotChannelsLast) {
  at::NoGradGuard no_grad;
  const auto flat = [](const at::Tensor& tensor) { return tensor.contiguous(at::MemoryFormat::Contiguous); };
  EXPECT_TRUE(winograd::convolution(flat(input), flat(weight)).equal(winograd::convolution(input, weight)));
  EXPECT_TRUE(winograd::weight_gradient(flat(input), flat(addend)).equal(winograd::weight_gradient(input, addend)));
}

TEST(WinogradConvolution, OfNoPicturesHasNoGradient) {
  const auto map = at::empty({0, 16, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(winograd::input_gradient(map, at::zeros({16, 32, 3, 3})).sizes(), at::IntArrayRef({0, 32, 8, 8}));
  EXPECT_TRUE(winograd::weight_gradient(map, map).equal(at::zeros({16, 16, 3, 3})));
}

/// Output and both gradients of the operator as a network in training uses it.
std::vector<at::Tensor> trained(const at::Tensor& input, const at::Tensor& weight, Precision precision,
                                int64_t stride) {
  const auto x = input.detach().requires_grad_(), w = weight.detach().requires_grad_();
  at::Tensor output;
  {
    AutocastScope autocast(precision);
    output = convolution(x, w, stride, 1);
  }
  (output.to(at::kFloat) * output.to(at::kFloat)).sum().backward();
  return {output.detach(), x.grad(), w.grad()};
}

class TrainedConvolution : public testing::TestWithParam<int64_t> {};

// The reference multiplies weights rounded to bfloat16, and all its results are rounded so.
TEST_P(TrainedConvolution, InBfloat16StaysWithinTheRoundingOfLibTorchsOwn) {
  at::manual_seed(33);
  const auto input = at::randn({4, 32, 9, 9}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto weight = at::randn({48, 32, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast) / 17;
  const auto fast = trained(input, weight, Precision::bfloat16, GetParam());
  std::vector<at::Tensor> reference;
  {
    ReferenceScope slow;
    reference = trained(input, weight, Precision::bfloat16, GetParam());
  }
  for (size_t i = 0; i < fast.size(); ++i) {
    EXPECT_EQ(fast[i].scalar_type(), reference[i].scalar_type()) << i;
    EXPECT_LT(relative_error(fast[i], reference[i].to(at::kDouble)), 0.01) << i;
  }
}

TEST_P(TrainedConvolution, InFloat32IsLibTorchsOwnToTheBit) {
  at::manual_seed(34);
  const auto input = at::randn({2, 32, 9, 9}), weight = at::randn({16, 32, 3, 3});
  EXPECT_TRUE(
      trained(input, weight, Precision::float32, GetParam())[0].equal(at::conv2d(input, weight, {}, GetParam(), 1)));
}

INSTANTIATE_TEST_SUITE_P(Strides, TrainedConvolution, testing::Values(1, 2));

TEST(WinogradConvolution, OfNoPicturesGivesNone) {
  const auto input = at::empty({0, 16, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto output =
      winograd::convolution(input, winograd::transform_weight(at::zeros({32, 16, 3, 3})), at::zeros({32}), {}, true);
  EXPECT_EQ(output.sizes(), at::IntArrayRef({0, 32, 8, 8}));
}

TEST(WinogradConvolution, LetsWhatIsNoNumberThroughItsActivation) {
  if (!winograd::applies(at::zeros({16, 16, 3, 3}), 1, 1)) GTEST_SKIP() << "this processor has no AVX-512";
  const auto input = at::full({1, 16, 4, 4}, std::nan("")).contiguous(at::MemoryFormat::ChannelsLast);
  const auto transformed = winograd::transform_weight(at::ones({16, 16, 3, 3}));
  EXPECT_TRUE(winograd::convolution(input, transformed, at::zeros({16}), {}, true).isnan().all().item<bool>());
}

TEST(WinogradApplies, OnlyToThreeByThreeOfStrideOneWithChannelsInSixteens) {
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 3, 3}), 2, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 3, 3}), 1, 0));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 3, 3, 3}), 1, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({24, 16, 3, 3}), 1, 1));
  EXPECT_FALSE(winograd::applies(at::zeros({16, 16, 1, 1}), 1, 0));
}

}  // namespace
}  // namespace fer
