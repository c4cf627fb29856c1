#pragma once
#include <memory>
#include <string>
#include <vector>

#include "models/catalog.h"
#include "models/state.h"
#include "ops/preprocess/preprocess.h"

namespace fer {

struct NetworkSpec {
  std::string backbone;
  std::string head;
  std::string stem;
  int64_t classes;
  Affinity affinity;  // that it is trained with, and used with unless another is asked for
  InputFormat input;
};

/// A backbone and a head, with the input they expect. Not for two threads at once.
class Network {
 public:
  /// Throws ERR_IMAGE_SIZE, naming the smallest size that works, where the head would get fewer than two features a
  /// class. Weights are drawn from `seed`.
  Network(NetworkSpec spec, uint64_t seed);

  const NetworkSpec& spec() const { return spec_; }

  /// images: (N, 3, size, size) float32, normalised -> (N, K) float32.
  at::Tensor logits(const at::Tensor& images, Affinity affinity);
  /// The same -> (N, F) float32, what the classifier reads.
  at::Tensor features(const at::Tensor& images, Affinity affinity);

  /// Throws ERR_INVALID_OPTION or ERR_UNCALIBRATED where the network cannot be used with this affinity.
  void check_affinity(Affinity affinity) const;

  /// Whether the running generic part is there, or none is needed.
  bool calibrated() const;

  void train(bool on);
  std::vector<at::Tensor> parameters() const;

  /// Parameters and buffers in their order of definition; the tensors are the network's own memory.
  std::vector<NamedTensor> state() const;
  /// Copies, converting floating types. Names and shapes must match: ERR_BAD_MODEL names the first that does not.
  void load(const std::vector<NamedTensor>& tensors);

 private:
  std::vector<NamedTensor> every_tensor() const;
  at::Tensor map(const at::Tensor& images);

  NetworkSpec spec_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<Head> head_;
};

}  // namespace fer
