#include "models/resnet.h"

#include <torch/nn/modules/container/sequential.h>

#include <array>
#include <numeric>

#include "models/backbone.h"
#include "models/layers.h"

namespace fer {
namespace {

struct BasicBlockImpl : torch::nn::Module {
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride)
      : conv1(register_module("conv1", ConvolutionLayer(in, out, 3, stride))),
        bn1(register_module("bn1", torch::nn::BatchNorm2d(out))),
        conv2(register_module("conv2", ConvolutionLayer(out, out, 3, 1))),
        bn2(register_module("bn2", torch::nn::BatchNorm2d(out))) {
    if (stride != 1 || in != out) {
      downsample = register_module(
          "downsample", torch::nn::Sequential(ConvolutionLayer(in, out, 1, stride), torch::nn::BatchNorm2d(out)));
    }
  }

  /// `drop`: the probability of leaving out the branch; `number`: of the block within the network.
  at::Tensor forward(const at::Tensor& input, const Noise& noise, double drop, uint64_t number) {
    const auto middle = activate(*bn1, conv1(input));
    if (drop == 0 || !is_training()) return activate(*bn2, conv2(middle), shortcut(input));
    const auto branch = activate(*bn2, conv2(middle), {}, /*relu=*/false);
    return (drop_branches(branch, noise, drop, number) + shortcut(input)).relu();
  }

  ValueId describe(Graph& graph, ValueId input) const {
    // The shortcut first: what is made last before its use is still in the cache.
    const auto shortcut = downsample ? graph.add(fold(*downsample->ptr(0)->as<ConvolutionLayer>(),
                                                      *downsample->ptr(1)->as<torch::nn::BatchNorm2d>(), input, false))
                                     : input;
    const auto middle = graph.add(fold(*conv1, *bn1, input, /*relu=*/true));
    return graph.add(fold(*conv2, *bn2, middle, /*relu=*/true, shortcut));
  }

  at::Tensor shortcut(const at::Tensor& input) {
    if (!downsample) return input;
    auto& norm = *downsample->ptr(1)->as<torch::nn::BatchNorm2d>();
    return activate(norm, downsample->ptr(0)->as<ConvolutionLayer>()->forward(input), {}, /*relu=*/false);
  }

  ConvolutionLayer conv1;
  torch::nn::BatchNorm2d bn1;
  ConvolutionLayer conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

class ResNet : public Backbone {
 public:
  ResNet(const Stem& stem, std::array<int64_t, 4> blocks)
      : pool_(stem.pool),
        blocks_(std::accumulate(blocks.begin(), blocks.end(), int64_t{0})),
        conv1(register_module("conv1", ConvolutionLayer(3, 64, stem.kernel, stem.stride))),
        bn1(register_module("bn1", torch::nn::BatchNorm2d(64))) {
    int64_t in = 64;
    for (size_t i = 0; i < 4; ++i) {
      const int64_t out = int64_t{64} << i;
      stages[i] = register_module("layer" + std::to_string(i + 1), stage(in, out, blocks[i], i == 0 ? 1 : 2));
      in = out;
    }
  }

  at::Tensor forward(at::Tensor images, const Noise& noise) override {
    const auto filtered = conv1(images);
    auto map = pool_ ? activate_and_pool(*bn1, filtered) : activate(*bn1, filtered);
    uint64_t number = 0;
    for (auto& stage : stages) {
      for (auto& block : *stage) {
        const double drop = noise.stochastic_depth * static_cast<double>(++number) / static_cast<double>(blocks_);
        map = block.get<BasicBlockImpl>().forward(map, noise, drop, number);
      }
    }
    return map;
  }

  Graph graph() const override {
    Graph graph;
    ValueId value = graph.add(fold(*conv1, *bn1, 0, /*relu=*/true));
    if (pool_) value = graph.add(MaxPool{.input = value, .kernel = 3, .stride = 2, .padding = 1});
    for (const auto& stage : stages) {
      for (const auto& block : *stage) value = block.get<BasicBlockImpl>().describe(graph, value);
    }
    return graph;
  }

  int64_t channels() const override { return 512; }

 private:
  static torch::nn::Sequential stage(int64_t in, int64_t out, int64_t blocks, int64_t stride) {
    torch::nn::Sequential layer(BasicBlock(in, out, stride));
    for (int64_t i = 1; i < blocks; ++i) layer->push_back(BasicBlock(out, out, 1));
    return layer;
  }

  bool pool_;
  int64_t blocks_;
  ConvolutionLayer conv1;
  torch::nn::BatchNorm2d bn1;
  std::array<torch::nn::Sequential, 4> stages{nullptr, nullptr, nullptr, nullptr};
};

}  // namespace

std::shared_ptr<Backbone> resnet18(const Stem& stem) {
  return std::make_shared<ResNet>(stem, std::array<int64_t, 4>{2, 2, 2, 2});
}

std::shared_ptr<Backbone> resnet34(const Stem& stem) {
  return std::make_shared<ResNet>(stem, std::array<int64_t, 4>{3, 4, 6, 3});
}

}  // namespace fer
