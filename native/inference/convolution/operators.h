#pragma once
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>

// oneDNN's fused operators, those that torch.compile uses on the CPU, have no C++ header: they are called by name.
namespace fer {

using Scalars = c10::List<std::optional<at::Scalar>>;
inline const Scalars no_scalars;
using Text = std::optional<std::string_view>;

template <typename Function>
c10::TypedOperatorHandle<Function> find_operator(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Function>();
}

}  // namespace fer
