#pragma once
#include "core/launch.h"
#include "optim/update_math.h"

// The optimizer's step on a GPU: one kernel for many parameters, whose places in memory come with its arguments.
namespace fer {

/// What happens to weight `i` of a parameter. The average may be null.
struct AdamRule {
  float* weight;
  const float* gradient;
  float *first, *second, *average;
  AdamFactors by;
  float averaging;

  FER_DEVICE void operator()(int64_t i) const {
    step_adam(weight[i], gradient[i], first[i], second[i], by);
    if (average) step_average(weight[i], average[i], averaging);
  }
};

/// The same of SGD; the velocity may be null too.
struct SgdRule {
  float* weight;
  const float* gradient;
  float *velocity, *average;
  SgdStep by;

  FER_DEVICE void operator()(int64_t i) const {
    if (velocity) {
      step_nesterov(weight[i], gradient[i], velocity[i], by);
    } else {
      step_plain(weight[i], gradient[i], by);
    }
    if (average) step_average(weight[i], average[i], by.averaging);
  }
};

/// A block takes a piece of a parameter, which it finds by counting.
template <typename Rule>
struct UpdateAll {
  /// As many as fit among the 4 KB that a kernel's arguments may take on every GPU.
  static constexpr int most = static_cast<int>((4096 - 64) / (sizeof(Rule) + sizeof(int64_t)));
  static constexpr int64_t piece = 4096;

  int count = 0;
  Rule rules[most];
  int64_t sizes[most];

  bool full() const { return count == most; }
  void add(const Rule& rule, int64_t size) {
    rules[count] = rule;
    sizes[count++] = size;
  }
  FER_DEVICE static int64_t pieces_of(int64_t size) { return (size + piece - 1) / piece; }
  Launch launch() const {
    int64_t blocks = 0;
    for (int i = 0; i < count; ++i) blocks += pieces_of(sizes[i]);
    return {blocks, usual_threads};
  }

  struct Shared {};
  struct Own {};
  FER_DEVICE int phases() const { return 1; }
  FER_DEVICE void run(int, const Thread& thread, Shared&, Own&) const {
    int64_t block = thread.block;
    int parameter = 0;
    while (block >= pieces_of(sizes[parameter])) block -= pieces_of(sizes[parameter++]);
    const int64_t begin = block * piece, end = begin + piece < sizes[parameter] ? begin + piece : sizes[parameter];
    for (int64_t i = begin + thread.index; i < end; i += thread.count) rules[parameter](i);
  }
};

}  // namespace fer
