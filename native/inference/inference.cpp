#include "inference/inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace fer {
namespace {

using MakeBatch = std::function<at::Tensor(int64_t first, int64_t last)>;
using Consume = std::function<void(const at::Tensor&)>;

/// Runs batches of pictures [first, last) made by `make` and hands on each batch's result.
void run(Network& network, int64_t count, const MakeBatch& make, const InferenceOptions& options, Output output,
         const Cancellation& cancellation, const Consume& consume, const std::function<void(int64_t)>& progress) {
  c10::InferenceMode inference;
  network.check_affinity(options.affinity);
  network.train(false);
  AutocastScope autocast(options.precision);
  for (int64_t first = 0; first < count; first += options.batch_size) {
    cancellation.check();
    const int64_t last = std::min(count, first + options.batch_size);
    const auto images = make(first, last);
    consume(output == Output::logits ? network.logits(images, options.affinity)
                                     : network.features(images, options.affinity));
    progress(last);
  }
}

/// Lays results one under the other.
class Rows {
 public:
  Consume add() {
    return [this](const at::Tensor& result) { results_.push_back(result); };
  }
  at::Tensor all(const Network& network) const {
    return results_.empty() ? at::empty({0, network.spec().classes}) : at::cat(results_);
  }

 private:
  std::vector<at::Tensor> results_;
};

MakeBatch batches_of(const ImageSet& images, const std::vector<int64_t>& indices, const InputFormat& format) {
  check_indices(images, indices);
  return [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> pictures;
    for (int64_t i = first; i < last; ++i) pictures.push_back(images.pixels[indices[static_cast<size_t>(i)]]);
    return preprocess(at::stack(pictures), format);
  };
}

at::Tensor crop(const Input& input) {
  if (!input.box) return input.pixels.unsqueeze(0);
  const auto& box = *input.box;
  return input.pixels.narrow(0, box.top, box.height).narrow(1, box.left, box.width).unsqueeze(0);
}

}  // namespace

at::Tensor infer(Network& network, const std::vector<Input>& inputs, const InferenceOptions& options, Output output,
                 const Cancellation& cancellation) {
  const auto& format = network.spec().input;
  const auto make = [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> pictures;
    for (int64_t i = first; i < last; ++i) pictures.push_back(preprocess(crop(inputs[static_cast<size_t>(i)]), format));
    return at::cat(pictures);
  };
  Rows rows;
  run(network, static_cast<int64_t>(inputs.size()), make, options, output, cancellation, rows.add(), [](int64_t) {});
  return rows.all(network);
}

at::Tensor infer(Network& network, const ImageSet& images, const std::vector<int64_t>& indices,
                 const InferenceOptions& options, const Cancellation& cancellation,
                 const std::function<void(int64_t)>& progress) {
  Rows rows;
  run(network, static_cast<int64_t>(indices.size()), batches_of(images, indices, network.spec().input), options,
      Output::logits, cancellation, rows.add(), progress);
  return rows.all(network);
}

void calibrate(Network& network, const ImageSet& images, const std::vector<int64_t>& indices,
               const InferenceOptions& options, const Cancellation& cancellation,
               const std::function<void(int64_t)>& progress) {
  network.check_affinity(Affinity::batch);
  if (indices.empty()) throw Error("ERR_DATASET_EMPTY", "There is no picture to calibrate on. Add some");
  // With affinity `none` the features are the unique parts.
  InferenceOptions unique = options;
  unique.affinity = Affinity::none;
  at::Tensor sum;
  const auto add = [&](const at::Tensor& parts) {
    const auto total = parts.to(at::kDouble).sum(0);
    sum = sum.defined() ? sum + total : total;
  };
  run(network, static_cast<int64_t>(indices.size()), batches_of(images, indices, network.spec().input), unique,
      Output::features, cancellation, add, progress);
  network.calibrate(sum / static_cast<double>(indices.size()));
}

}  // namespace fer
