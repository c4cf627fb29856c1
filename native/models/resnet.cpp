#include "models/resnet.h"

#include <ATen/ops/max_pool2d.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <array>

#include "models/backbone.h"

namespace fer {
namespace {

torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

struct BasicBlockImpl : torch::nn::Module {
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride)
      : conv1(register_module("conv1", convolution(in, out, 3, stride))),
        bn1(register_module("bn1", torch::nn::BatchNorm2d(out))),
        conv2(register_module("conv2", convolution(out, out, 3, 1))),
        bn2(register_module("bn2", torch::nn::BatchNorm2d(out))) {
    if (stride != 1 || in != out) {
      downsample = register_module("downsample",
                                   torch::nn::Sequential(convolution(in, out, 1, stride), torch::nn::BatchNorm2d(out)));
    }
  }

  at::Tensor forward(const at::Tensor& input) {
    auto output = bn1(conv1(input)).relu_();
    output = bn2(conv2(output));
    output += downsample ? downsample->forward(input) : input;
    return output.relu_();
  }

  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

class ResNet : public Backbone {
 public:
  ResNet(const Stem& stem, std::array<int64_t, 4> blocks)
      : pool_(stem.pool),
        conv1(register_module("conv1", convolution(3, 64, stem.kernel, stem.stride))),
        bn1(register_module("bn1", torch::nn::BatchNorm2d(64))) {
    int64_t in = 64;
    for (size_t i = 0; i < 4; ++i) {
      const int64_t out = int64_t{64} << i;
      stages[i] = register_module("layer" + std::to_string(i + 1), stage(in, out, blocks[i], i == 0 ? 1 : 2));
      in = out;
    }
  }

  at::Tensor forward(at::Tensor images) override {
    auto map = bn1(conv1(images)).relu_();
    if (pool_) map = at::max_pool2d(map, 3, 2, 1);
    for (auto& layer : stages) map = layer->forward(map);
    return map;
  }

  int64_t channels() const override { return 512; }

 private:
  static torch::nn::Sequential stage(int64_t in, int64_t out, int64_t blocks, int64_t stride) {
    torch::nn::Sequential layer(BasicBlock(in, out, stride));
    for (int64_t i = 1; i < blocks; ++i) layer->push_back(BasicBlock(out, out, 1));
    return layer;
  }

  bool pool_;
  torch::nn::Conv2d conv1;
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
