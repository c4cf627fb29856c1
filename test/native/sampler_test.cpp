#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace fer {
namespace {

/// Classes of 30, 10 and 3 pictures, class by class.
std::vector<Candidate> uneven() {
  std::vector<Candidate> all;
  for (int64_t i = 0; i < 43; ++i) all.push_back({i, i < 30 ? 0 : i < 40 ? 1 : 2, 1});
  return all;
}

int64_t label_of(int64_t index) { return uneven()[static_cast<size_t>(index)].label; }

std::unique_ptr<Sampler> sampler(const std::string& name, const std::vector<Candidate>& candidates, int64_t limit = 0) {
  return samplers().at(name)(candidates, {.seed = 3, .class_limit = limit});
}

std::map<int64_t, int64_t> counts_by_class(const std::vector<int64_t>& order) {
  std::map<int64_t, int64_t> counts;
  for (const int64_t index : order) ++counts[label_of(index)];
  return counts;
}

std::vector<int64_t> of_class(const std::vector<int64_t>& order, int64_t label) {
  std::vector<int64_t> chosen;
  std::ranges::copy_if(order, std::back_inserter(chosen), [&](int64_t index) { return label_of(index) == label; });
  return chosen;
}

TEST(Samplers, GiveAsManyAsTheySayAndTheSameForTheSameEpoch) {
  for (const auto& name : samplers().names()) {
    const auto one = sampler(name, uneven()), other = sampler(name, uneven());
    for (const uint64_t epoch : {5U, 0U, 1U}) {
      EXPECT_EQ(static_cast<int64_t>(one->order(epoch).size()), one->size()) << name;
      EXPECT_EQ(one->order(epoch), other->order(epoch)) << name;
    }
    EXPECT_NE(one->order(0), one->order(1)) << name;
  }
}

TEST(Samplers, HaveNothingToShowWhereThereIsNothing) {
  for (const auto& name : samplers().names()) EXPECT_EQ(sampler(name, {})->size(), 0) << name;
}

TEST(Shuffle, ShowsEachPictureOnce) {
  auto order = sampler("shuffle", uneven())->order(7);
  std::ranges::sort(order);
  std::vector<int64_t> all(43);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
}

TEST(Shuffle, ShowsPicturesOfAnotherWeightThatManyTimesInTheMean) {
  auto candidates = uneven();
  for (auto& candidate : candidates) candidate.weight = candidate.label == 0 ? 0.5 : candidate.label == 1 ? 2 : 0;
  const auto half = sampler("shuffle", candidates);
  EXPECT_EQ(half->size(), 15 + 20);
  std::map<int64_t, int64_t> shown;
  for (const uint64_t epoch : {0U, 1U}) {
    for (const int64_t index : half->order(epoch)) ++shown[index];
  }
  // Two epochs of half of the thirty show each of them once; of the ten, twice each, each four times; the three never.
  EXPECT_EQ(shown.size(), 40U);
  for (const auto& [index, count] : shown) EXPECT_EQ(count, index < 30 ? 1 : 4) << index;
  const auto order = half->order(0);
  EXPECT_FALSE(std::ranges::is_sorted(order, {}, label_of)) << "the two kinds come mixed";
}

TEST(MinimalRandomResampling, ShowsOfEachClassAsManyAsTheSmallestHas) {
  const auto balanced = sampler("mrr", uneven());
  EXPECT_EQ(balanced->size(), 9);
  EXPECT_EQ(counts_by_class(balanced->order(0)), (std::map<int64_t, int64_t>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST(MinimalRandomResampling, GoesThroughAClassBeforeItRepeats) {
  const auto balanced = sampler("mrr", uneven());
  std::set<int64_t> shown;
  for (uint64_t epoch = 0; epoch < 10; ++epoch) {
    for (const int64_t index : of_class(balanced->order(epoch), 0)) EXPECT_TRUE(shown.insert(index).second) << index;
  }
  EXPECT_EQ(shown.size(), 30U);
}

TEST(MinimalRandomResampling, ShowsAClassSmallerThanTheLimitWholeAndTopsItUp) {
  const auto balanced = sampler("mrr", uneven(), 8);
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    const auto order = balanced->order(epoch);
    EXPECT_EQ(counts_by_class(order), (std::map<int64_t, int64_t>{{0, 8}, {1, 8}, {2, 8}}));
    const auto smallest = of_class(order, 2), middle = of_class(order, 1);
    EXPECT_EQ(std::set(smallest.begin(), smallest.end()).size(), 3U);
    EXPECT_EQ(std::set(middle.begin(), middle.end()).size(), 8U) << "without replacement where there are enough";
  }
}

TEST(Weighted, DrawsEachClassAsOften) {
  std::map<int64_t, int64_t> counts;
  const auto weighted = sampler("weighted", uneven());
  constexpr int64_t epochs = 100;
  for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [label, count] : counts_by_class(weighted->order(epoch))) counts[label] += count;
  }
  // 4300 draws, a third each: the standard deviation is sqrt(4300 * 1/3 * 2/3) = 31.
  for (const auto& [label, count] : counts) EXPECT_NEAR(static_cast<double>(count), 4300.0 / 3, 4 * 31) << label;
  EXPECT_EQ(counts.size(), 3U);
}

TEST(Weighted, NeverDrawsWhatWeighsNothing) {
  auto candidates = uneven();
  for (auto& candidate : candidates) candidate.weight = candidate.index % 2 == 0 ? 1 : 0;
  for (const int64_t index : sampler("weighted", candidates)->order(0)) EXPECT_EQ(index % 2, 0);
}

}  // namespace
}  // namespace fer
