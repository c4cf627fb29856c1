#pragma once
// Included before the files that need LibTorch's modules and derivatives, for speed of building only: it takes ten
// seconds to parse. Each file still includes what it uses; the others keep to narrow headers and build faster alone.
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
