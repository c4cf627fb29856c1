#pragma once
#include "inference/inference.h"

namespace fer {

/// For each value of the network's graph, the picture's first: the range whose 256 levels keep it with the least
/// squared error over pictures `indices`, computed in float32, and a quarter more for faces unlike them. Outliers may
/// lie outside: they cost less than coarse steps. ERR_BAD_MODEL where a value is not finite or beyond 1e29.
std::vector<Range> measure_ranges(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                                  const Cancellation& cancellation, const Progress& progress);

/// The part of a histogram's range to keep, where `counts` are of equal bins from `range.low` to `range.high`.
Range least_error(Range range, const std::vector<double>& counts);

}  // namespace fer
