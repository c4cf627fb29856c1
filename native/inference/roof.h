#pragma once
#include <cstdint>

#include "core/precision.h"

namespace fer {

/// Seconds of one product of two square matrices, the best of several: the roof that figures of speed are held against.
double measure_product(Precision precision, int64_t side);

}  // namespace fer
