#pragma once
#include "models/catalog.h"

namespace fer {

/// ResNets (He et al., arXiv 1512.03385) without pooling and classifier, under torchvision's parameter names.
std::shared_ptr<Backbone> resnet18(const Stem& stem);
std::shared_ptr<Backbone> resnet34(const Stem& stem);

}  // namespace fer
