#include "models/state.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <sstream>
#include <unordered_map>

#include "core/error.h"

namespace fer {
namespace {

[[noreturn]] void bad_model(const std::string& what) {
  throw Error("ERR_BAD_MODEL", what + ". Check that the weights are those of this network");
}

void copy_into(const NamedTensor& own, const at::Tensor& given) {
  if (given.sizes() != own.tensor.sizes()) {
    std::ostringstream text;
    text << "Tensor `" << own.name << "` has shape " << given.sizes() << ", expected " << own.tensor.sizes();
    bad_model(text.str());
  }
  own.tensor.copy_(given);
}

}  // namespace

std::vector<NamedTensor> state_of(const torch::nn::Module& module) {
  std::vector<NamedTensor> all;
  for (const auto& item : module.named_parameters()) all.push_back({item.key(), item.value().detach()});
  for (const auto& item : module.named_buffers()) all.push_back({item.key(), item.value()});
  return all;
}

bool load_state(const std::vector<NamedTensor>& own, const std::vector<NamedTensor>& given,
                const std::function<bool(const std::string&)>& optional) {
  at::NoGradGuard no_grad;
  std::unordered_map<std::string, at::Tensor> left;
  for (const auto& entry : given) left.emplace(entry.name, entry.tensor);
  bool complete = true;
  for (const auto& entry : own) {
    const auto found = left.extract(entry.name);
    if (found) {
      copy_into(entry, found.mapped());
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
