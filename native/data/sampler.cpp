#include "data/sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/random.h"

namespace fer {
namespace {

/// Fisher and Yates'.
void shuffle(std::vector<int64_t>& indices, Draw random) {
  for (size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random.below(i)]);
}

/// Shuffles of the same pictures one after the other, of which every epoch takes the next `count`.
class Queue {
 public:
  Queue(std::vector<int64_t> indices, int64_t count, uint64_t seed, uint64_t number)
      : indices_(std::move(indices)), count_(count), seed_(seed), number_(number) {}

  int64_t count() const { return count_; }
  const std::vector<int64_t>& indices() const { return indices_; }

  /// Appends what the epoch takes.
  void take(uint64_t epoch, std::vector<int64_t>& to) const {
    const int64_t first = static_cast<int64_t>(epoch) * count_, last = first + count_;
    std::vector<int64_t> shuffled;
    for (int64_t round = 0; round * length() < last; ++round) {
      shuffled = next(round, shuffled);
      const int64_t start = round * length();
      const auto within = [&](int64_t place) {
        return shuffled.begin() + std::clamp<int64_t>(place - start, 0, length());
      };
      to.insert(to.end(), within(first), within(last));
    }
  }

 private:
  int64_t length() const { return static_cast<int64_t>(indices_.size()); }

  /// A shuffle, of which an epoch that begins in the one before and ends in this takes no picture a second time.
  std::vector<int64_t> next(int64_t round, const std::vector<int64_t>& before) const {
    auto shuffled = indices_;
    shuffle(shuffled, Draw(seed_, static_cast<uint64_t>(round), number_, Purpose::shuffle));
    const int64_t taken = round * length() % count_;
    if (taken == 0 || count_ > length()) return shuffled;
    const std::set<int64_t> seen(before.end() - taken, before.end());
    const auto is_new = [&](int64_t index) { return !seen.contains(index); };
    auto spare = shuffled.begin() + count_ - taken;
    for (auto place = shuffled.begin(); place != shuffled.begin() + count_ - taken; ++place) {
      if (is_new(*place)) continue;
      spare = std::find_if(spare, shuffled.end(), is_new);
      std::iter_swap(place, spare);
    }
    return shuffled;
  }

  std::vector<int64_t> indices_;
  int64_t count_;
  uint64_t seed_, number_;
};

class Shuffle : public Sampler {
 public:
  Shuffle(const std::vector<Candidate>& candidates, const SamplerSettings& settings) : seed_(settings.seed) {
    std::map<double, std::vector<int64_t>, std::greater<>> by_weight;
    for (const auto& candidate : candidates) by_weight[candidate.weight].push_back(candidate.index);
    for (auto& [weight, indices] : by_weight) {
      const auto count = std::llround(weight * static_cast<double>(indices.size()));
      if (count > 0) queues_.emplace_back(std::move(indices), count, seed_, queues_.size());
    }
  }

  int64_t size() const override {
    int64_t sum = 0;
    for (const auto& queue : queues_) sum += queue.count();
    return sum;
  }

  std::vector<int64_t> order(uint64_t epoch) const override {
    std::vector<int64_t> all;
    for (const auto& queue : queues_) queue.take(epoch, all);
    if (queues_.size() > 1) shuffle(all, Draw(seed_, epoch, 0, Purpose::interleave));
    return all;
  }

 private:
  uint64_t seed_;
  std::vector<Queue> queues_;
};

class MinimalRandomResampling : public Sampler {
 public:
  MinimalRandomResampling(const std::vector<Candidate>& candidates, const SamplerSettings& settings)
      : seed_(settings.seed), limit_(settings.class_limit) {
    std::map<int64_t, std::vector<int64_t>> by_class;
    for (const auto& candidate : candidates) by_class[candidate.label].push_back(candidate.index);
    if (limit_ == 0) limit_ = smallest(by_class);
    for (auto& [label, indices] : by_class) {
      const auto own = std::min(limit_, static_cast<int64_t>(indices.size()));
      queues_.emplace_back(std::move(indices), own, seed_, queues_.size());
    }
  }

  int64_t size() const override { return limit_ * static_cast<int64_t>(queues_.size()); }

  std::vector<int64_t> order(uint64_t epoch) const override {
    std::vector<int64_t> all;
    for (size_t i = 0; i < queues_.size(); ++i) {
      const auto& queue = queues_[i];
      queue.take(epoch, all);
      Draw random(seed_, epoch, i, Purpose::resample);
      for (int64_t extra = queue.count(); extra < limit_; ++extra) {
        all.push_back(queue.indices()[random.below(queue.indices().size())]);
      }
    }
    shuffle(all, Draw(seed_, epoch, 0, Purpose::interleave));
    return all;
  }

 private:
  static int64_t smallest(const std::map<int64_t, std::vector<int64_t>>& by_class) {
    size_t least = by_class.empty() ? 0 : by_class.begin()->second.size();
    for (const auto& [label, indices] : by_class) least = std::min(least, indices.size());
    return static_cast<int64_t>(least);
  }

  uint64_t seed_;
  int64_t limit_;
  std::vector<Queue> queues_;
};

class Weighted : public Sampler {
 public:
  Weighted(const std::vector<Candidate>& candidates, const SamplerSettings& settings) : seed_(settings.seed) {
    std::map<int64_t, double> by_class;
    for (const auto& candidate : candidates) by_class[candidate.label] += candidate.weight;
    double sum = 0;
    for (const auto& candidate : candidates) {
      if (candidate.weight == 0) continue;
      sum += candidate.weight / by_class[candidate.label];
      indices_.push_back(candidate.index);
      up_to_.push_back(sum);
    }
  }

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }

  std::vector<int64_t> order(uint64_t epoch) const override {
    Draw random(seed_, epoch, 0, Purpose::resample);
    std::vector<int64_t> all;
    for (size_t i = 0; i < indices_.size(); ++i) {
      const double point = random.fraction() * up_to_.back();
      const auto found = std::ranges::upper_bound(up_to_, point);
      all.push_back(indices_[static_cast<size_t>(std::min(found, up_to_.end() - 1) - up_to_.begin())]);
    }
    return all;
  }

 private:
  uint64_t seed_;
  std::vector<int64_t> indices_;
  std::vector<double> up_to_;  // sums of probabilities, not normalised
};

template <typename Kind>
SamplerFactory factory() {
  return [](const std::vector<Candidate>& candidates, const SamplerSettings& settings) {
    return std::make_unique<Kind>(candidates, settings);
  };
}

}  // namespace

const Catalog<SamplerFactory>& samplers() {
  static const Catalog<SamplerFactory> rows("sampler", {{"shuffle", factory<Shuffle>()},
                                                        {"mrr", factory<MinimalRandomResampling>()},
                                                        {"weighted", factory<Weighted>()}});
  return rows;
}

}  // namespace fer
