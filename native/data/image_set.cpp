#include "data/image_set.h"

#include <algorithm>

#include "core/error.h"

namespace fer {

void check_indices(const ImageSet& images, const std::vector<int64_t>& indices) {
  const auto count = images.pixels.size(0);
  const auto outside = [count](int64_t index) { return index < 0 || index >= count; };
  const bool one_target_each = !images.targets.defined() || images.targets.size(0) == count;
  if (images.labels.size(0) == count && one_target_each && std::none_of(indices.begin(), indices.end(), outside))
    return;
  throw Error("ERR_BAD_DATA", "The pictures and the labels are not of one number: " + std::to_string(count) + " and " +
                                  std::to_string(images.labels.size(0)) +
                                  ". Give the data set a new fingerprint whenever its pictures change");
}

}  // namespace fer
