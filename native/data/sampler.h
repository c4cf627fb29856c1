#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/catalog.h"

namespace fer {

/// A picture that may be shown.
struct Candidate {
  int64_t index;
  int64_t label;
  double weight;  // how often it is shown, beside others
};

/// Which pictures an epoch shows, in which order: a pure function of seed and epoch, so that resuming needs nothing
/// saved.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// How many pictures an epoch shows, the same for each.
  virtual int64_t size() const = 0;
  /// Their indices.
  virtual std::vector<int64_t> order(uint64_t epoch) const = 0;
};

struct SamplerSettings {
  uint64_t seed;
  int64_t class_limit;  // of mrr: pictures a class and epoch; 0: as many as the smallest class has
};

using SamplerFactory = std::function<std::unique_ptr<Sampler>(std::vector<Candidate>, const SamplerSettings&)>;
/// shuffle: every picture `weight` times an epoch, in the mean where that is not whole.
/// mrr: minimal random resampling (Shi & Zhu, arXiv 2103.10189): of each class `class_limit` pictures. They come from a
/// shuffled queue that goes on from epoch to epoch; a class that has fewer shows them all, and some of them again.
/// weighted: as many draws with replacement as there are pictures, each class as likely; within a class by weight.
const Catalog<SamplerFactory>& samplers();

}  // namespace fer
