#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/named_tensor.h"

namespace torch::nn {
class Module;
}

namespace fer {

/// Parameters and then buffers of a module, in their order of definition; the tensors are the module's own memory.
std::vector<NamedTensor> state_of(const torch::nn::Module& module);

/// The same tensors as something to load from.
std::vector<TensorSource> sources_of(const std::vector<NamedTensor>& tensors);

/// Copies `given` over `own` by name, converting one floating type to another. ERR_BAD_MODEL names the first whose
/// name, shape or kind of number does not fit, or that holds a number that is not finite. Own tensors for which
/// `optional` answers true may be missing; returns whether none was.
bool load_state(
    const std::vector<NamedTensor>& own, const std::vector<TensorSource>& given,
    const std::function<bool(const std::string&)>& optional = [](const std::string&) { return false; });

/// The name of the first floating tensor with a number that is not finite, or none.
std::optional<std::string> find_not_finite(const std::vector<NamedTensor>& tensors);

}  // namespace fer
