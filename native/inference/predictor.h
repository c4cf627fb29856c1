#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inference/plan.h"

namespace fer {

struct InferenceOptions {
  Affinity affinity;
  Precision precision;
  at::Device device;
  int64_t batch_size;         // the group whose mean affinity `batch` takes, and after which cancellation is polled
  std::vector<Range> ranges;  // for precision int8
  bool flip;                  // answers the mean of each picture and its mirror image
};

/// A network made ready to answer: its plans are compiled at the first use, and again when its weights have changed.
/// For one thread at a time.
class Predictor {
 public:
  explicit Predictor(std::shared_ptr<Network> network) : network_(std::move(network)) {}

  const std::shared_ptr<Network>& network() const { return network_; }

  /// What pictures [first, last) give: (N, K) or (N, F) float32, on the CPU. They are one group for affinity `batch`.
  /// `pixels` gives some of them as (n, H, W, C) uint8.
  using Pixels = std::function<at::Tensor(int64_t first, int64_t last)>;
  at::Tensor answer(const Pixels& pixels, int64_t first, int64_t last, const InferenceOptions& options, Output output);

  const Plan& plan(Precision precision, const std::vector<Range>& ranges, at::Device device = at::kCPU);

 private:
  struct Compiled {
    std::vector<Range> ranges;
    std::unique_ptr<Plan> plan;
  };
  /// A reading as a matrix: weight (K, h w C), on channels-last maps seen as rows.
  struct ReadingMatrix {
    at::Tensor weight, bias;
  };

  void forget_stale();
  const ReadingMatrix& reading(Affinity affinity, at::Device device);
  at::Tensor read(const at::Tensor& map, Affinity affinity, Output output);

  std::shared_ptr<Network> network_;
  uint64_t version_ = 0;
  std::map<std::pair<Precision, std::string>, Compiled> plans_;  // of a device, by its name
  std::map<std::pair<Affinity, std::string>, ReadingMatrix> readings_;
};

}  // namespace fer
