#pragma once
#include "models/catalog.h"

namespace fer {

/// ARM, the amending representation module (Shi & Zhu, arXiv 2103.10189), and a linear classifier, under the official
/// code's parameter names: arm.de_albino.weight, arm.bn.*, arm.alpha, fc.*; arm.generic is our running generic part.
std::shared_ptr<Head> arm_head(const HeadSpec& spec);

/// s^2, or 0 where the map is too small for the kernel.
int64_t arm_feature_count(int64_t side, int64_t channels);

}  // namespace fer
