#pragma once
#include <stdexcept>
#include <string>

namespace fer {

/// The one error the engine throws on purpose. `code` is a key of `errorCodes` in lib/errors.ts; the message
/// names what was wrong and the cure.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code(std::move(code)) {}
  const std::string code;
};

}  // namespace fer
