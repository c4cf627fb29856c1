#pragma once
#include <string>
#include <vector>

#include "core/named_tensor.h"

namespace fer {

/// Writes `prefix` (the length and the JSON header, which TypeScript makes) and then the tensors in order, row-major,
/// floating ones as `dtype`: to a temporary beside `path`, flushed to disk, then renamed over it. ERR_OUTPUT.
void write_safetensors(const std::string& path, const std::string& prefix, const std::vector<NamedTensor>& tensors,
                       at::ScalarType dtype);

}  // namespace fer
