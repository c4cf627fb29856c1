#pragma once
#include <cstdint>

namespace torch::nn {
class Module;
}

namespace fer {

/// Draws every weight anew from `seed`: convolutions as He et al. (arXiv 1502.01852, fan out), the classifier and the
/// de-albino kernel uniform within 1 / sqrt(fan in) as LibTorch's own layers; norms are left at one and zero.
void initialize(torch::nn::Module& module, uint64_t seed);

}  // namespace fer
