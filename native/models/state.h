#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/named_tensor.h"

namespace torch::nn {
class Module;
}

namespace fer {

/// Parameters and then buffers of a module, in their order of definition; the tensors are the module's own memory.
std::vector<NamedTensor> state_of(const torch::nn::Module& module);

/// Copies `given` over `own` by name, converting floating types. Names and shapes must match: ERR_BAD_MODEL names the
/// first that does not. Own tensors for which `optional` answers true may be missing; returns whether none was.
bool load_state(
    const std::vector<NamedTensor>& own, const std::vector<NamedTensor>& given,
    const std::function<bool(const std::string&)>& optional = [](const std::string&) { return false; });

}  // namespace fer
