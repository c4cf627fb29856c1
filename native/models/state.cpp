#include "models/state.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <atomic>
#include <sstream>
#include <unordered_map>

#include "core/error.h"
#include "core/vectorize.h"

namespace fer {
namespace {

[[noreturn]] void bad_model(const std::string& what) {
  throw Error("ERR_BAD_MODEL", what + ". Check that the weights are those of this network");
}

/// In one pass: zero times what is not finite is not a number, and stays so in a sum.
FER_VECTORIZED float sum_of_zeros(const float* values, int64_t count) {
  float sums[16] = {};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (int64_t lane = 0; lane < 16; ++lane) sums[lane] += 0.0F * values[i + lane];
  }
  for (; i < count; ++i) sums[0] += 0.0F * values[i];
  for (int64_t lane = 1; lane < 16; ++lane) sums[0] += sums[lane];
  return sums[0];
}

bool is_finite(const at::Tensor& tensor) {
  if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat || !tensor.is_non_overlapping_and_dense()) {
    return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
  }
  const auto* values = tensor.const_data_ptr<float>();
  std::atomic<bool> finite = true;
  at::parallel_for(0, tensor.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    if (sum_of_zeros(values + begin, end - begin) != 0.0F) finite = false;
  });
  return finite;
}

void copy_into(const NamedTensor& own, const TensorSource& given) {
  if (own.tensor.sizes() != given.shape) {
    std::ostringstream text;
    text << "Tensor `" << own.name << "` has shape " << at::IntArrayRef(given.shape) << ", expected "
         << own.tensor.sizes();
    bad_model(text.str());
  }
  if (at::isFloatingType(given.dtype) != own.tensor.is_floating_point()) {
    bad_model("Tensor `" + own.name + "` holds " + (own.tensor.is_floating_point() ? "whole" : "floating") +
              " numbers, expected the other kind");
  }
  own.tensor.copy_(given.read());
  // As it is kept: a float64 may be too large for float32.
  if (!is_finite(own.tensor)) bad_model("Tensor `" + own.name + "` holds a number that is not finite");
}

}  // namespace

std::vector<NamedTensor> state_of(const torch::nn::Module& module) {
  std::vector<NamedTensor> all;
  for (const auto& item : module.named_parameters()) all.push_back({item.key(), item.value().detach()});
  for (const auto& item : module.named_buffers()) all.push_back({item.key(), item.value()});
  return all;
}

std::vector<TensorSource> sources_of(const std::vector<NamedTensor>& tensors) {
  std::vector<TensorSource> sources;
  for (const auto& [name, tensor] : tensors) {
    sources.push_back({name, tensor.scalar_type(), tensor.sizes().vec(), [tensor] { return tensor; }});
  }
  return sources;
}

std::optional<std::string> find_not_finite(const std::vector<NamedTensor>& tensors) {
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    if (!is_finite(tensor)) return name;
  }
  return std::nullopt;
}

bool load_state(const std::vector<NamedTensor>& own, const std::vector<TensorSource>& given,
                const std::function<bool(const std::string&)>& optional) {
  at::NoGradGuard no_grad;
  std::unordered_map<std::string, TensorSource> left;
  for (const auto& entry : given) left.emplace(entry.name, entry);
  bool complete = true;
  for (const auto& entry : own) {
    const auto found = left.extract(entry.name);
    if (found) {
      copy_into(entry, found.mapped());
    } else if (entry.name.ends_with(".num_batches_tracked")) {
      // Counts steps for a kind of average that is not used; older checkpoints lack it.
    } else if (optional(entry.name)) {
      complete = false;
    } else {
      bad_model("There is no tensor `" + entry.name + "`");
    }
  }
  if (!left.empty()) bad_model("There is a tensor `" + left.begin()->first + "` that the network does not know");
  return complete;
}

}  // namespace fer
