#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "models/catalog.h"
#include "models/graph.h"
#include "models/noise.h"
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

/// `map`: the backbone's, (N, C, h, w).
enum class Output { logits, features, map };

/// A backbone and a head, with the input they expect. Not for two threads at once.
class Network {
 public:
  /// Throws ERR_IMAGE_SIZE, naming the smallest size that works, where the head would get fewer than two features a
  /// class. The weights hold anything until they are loaded.
  explicit Network(NetworkSpec spec);
  /// Weights are drawn from `seed`.
  Network(NetworkSpec spec, uint64_t seed);

  const NetworkSpec& spec() const { return spec_; }

  /// images: (N, 3, size, size), normalised; float32, or bfloat16 in training in it -> (N, K) float32. In training, and
  /// the reference of a plan.
  at::Tensor logits(const at::Tensor& images, Affinity affinity, const Noise& noise = {});
  /// The same -> (N, F) float32, what the classifier reads.
  at::Tensor features(const at::Tensor& images, Affinity affinity);

  /// The backbone at inference, and all that follows it with affinity `ema` or `none`, as data.
  Graph graph() const;
  Reading reading(Affinity affinity) const;
  /// (h, w): how much each place of the map counts; undefined where all count alike.
  at::Tensor reach() const;
  /// How many weights the reading has: the map's values times the classes.
  int64_t reading_size() const;
  /// What follows the backbone, on its map (N, C, h, w) float32.
  at::Tensor read(const at::Tensor& map, Affinity affinity, Output output);
  /// Grows whenever weights may have changed: what was made of them is then stale.
  uint64_t version() const { return version_; }

  /// Throws ERR_INVALID_OPTION or ERR_UNCALIBRATED where the network cannot be used with this affinity.
  void check_affinity(Affinity affinity) const;

  /// Whether the running generic part is there, or none is needed.
  bool calibrated() const;

  void train(bool on);
  /// The first `parts` of stem and four stages stay as they are from now on: their weights need no gradients, and their
  /// norms take no statistics of batches.
  void freeze(int64_t parts);
  /// Of a parameter: 0 in the stem, 1 to 4 in a stage, 5 in the head.
  static int64_t depth_of(const std::string& name);
  /// How much the running statistics of the norms, and ARM's generic part, take over of a batch in training.
  void set_momentum(double momentum);
  static constexpr double usual_momentum = 0.1;
  std::vector<at::Tensor> parameters() const;
  std::vector<NamedTensor> named_parameters() const;

  /// A network of its own with the same weights, on a device, laid out for it.
  std::shared_ptr<Network> copy_on(at::Device device) const;
  at::Device device() const;

  /// Parameters and buffers in their order of definition; the tensors are the network's own memory.
  std::vector<NamedTensor> state() const;
  /// Copies, converting one floating type to another. Names and shapes must match: ERR_BAD_MODEL names the first that
  /// does not.
  void load(const std::vector<TensorSource>& tensors);
  /// The same for some tensors only; the others stay as they are.
  void adopt(const std::vector<TensorSource>& tensors);
  /// Sets the running generic part: (s^2), the mean unique part of the training pictures.
  void calibrate(const at::Tensor& generic);

 private:
  std::vector<NamedTensor> every_tensor() const;
  at::Tensor map(const at::Tensor& images, const Noise& noise);

  NetworkSpec spec_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<Head> head_;
  int64_t frozen_ = 0;
  std::atomic<uint64_t> version_ = 0;  // set by the thread that computes, asked by any
};

}  // namespace fer
