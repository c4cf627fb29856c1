#pragma once
#include "models/catalog.h"

namespace fer {

/// Global average pooling and a linear classifier: the plain ResNet's, the baseline for ARM.
std::shared_ptr<Head> gap_head(const HeadSpec& spec);

}  // namespace fer
