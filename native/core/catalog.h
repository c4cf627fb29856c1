#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"

namespace fer {

/// A table of named choices; the row order is the order in which they are offered.
template <typename Value>
class Catalog {
 public:
  using Row = std::pair<std::string, Value>;
  Catalog(std::string option, std::vector<Row> rows) : option_(std::move(option)), rows_(std::move(rows)) {}

  const Value& at(const std::string& name) const {
    for (const auto& [key, value] : rows_) {
      if (key == name) return value;
    }
    throw Error("ERR_INVALID_OPTION", "Expected `" + option_ + "` to be one of " + joined() + ", got `" + name + "`");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& row : rows_) result.push_back(row.first);
    return result;
  }

 private:
  std::string joined() const {
    std::string text;
    for (const auto& row : rows_) text += (text.empty() ? "" : ", ") + row.first;
    return text;
  }

  std::string option_;
  std::vector<Row> rows_;
};

}  // namespace fer
