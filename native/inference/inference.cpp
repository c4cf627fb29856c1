#include "inference/inference.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace fer {
namespace {

using MakeBatch = std::function<at::Tensor(int64_t first, int64_t last)>;

/// Runs batches of pictures [first, last) made by `make` and lays their results one under the other.
at::Tensor run(Network& network, int64_t count, const MakeBatch& make, const InferenceOptions& options, Output output,
               const Cancellation& cancellation, const std::function<void(int64_t)>& progress) {
  c10::InferenceMode inference;
  network.check_affinity(options.affinity);
  network.train(false);
  AutocastScope autocast(options.precision);
  std::vector<at::Tensor> results;
  for (int64_t first = 0; first < count; first += options.batch_size) {
    cancellation.check();
    const int64_t last = std::min(count, first + options.batch_size);
    const auto images = make(first, last);
    results.push_back(output == Output::logits ? network.logits(images, options.affinity)
                                               : network.features(images, options.affinity));
    progress(last);
  }
  return results.empty() ? at::empty({0, network.spec().classes}) : at::cat(results);
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
  return run(network, static_cast<int64_t>(inputs.size()), make, options, output, cancellation, [](int64_t) {});
}

at::Tensor infer(Network& network, const ImageSet& images, const std::vector<int64_t>& indices,
                 const InferenceOptions& options, const Cancellation& cancellation,
                 const std::function<void(int64_t)>& progress) {
  check_indices(images, indices);
  const auto& format = network.spec().input;
  const auto make = [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> pictures;
    for (int64_t i = first; i < last; ++i) pictures.push_back(images.pixels[indices[static_cast<size_t>(i)]]);
    return preprocess(at::stack(pictures), format);
  };
  return run(network, static_cast<int64_t>(indices.size()), make, options, Output::logits, cancellation, progress);
}

}  // namespace fer
