#pragma once
#include "models/catalog.h"

namespace fer {

/// ResNet-18 (He et al., arXiv 1512.03385) without its pooling and classifier, under torchvision's parameter names.
std::shared_ptr<Backbone> resnet18(const Stem& stem);

}  // namespace fer
