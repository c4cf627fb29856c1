#include "inference/inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "ops/resize/resize.h"

namespace fer {
namespace {

using Consume = std::function<void(const at::Tensor&)>;

Predictor::Pixels mirrored(const Predictor::Pixels& pixels) {
  return [&pixels](int64_t first, int64_t last) { return pixels(first, last).flip(2); };
}

/// Runs batches of pictures and hands on each batch's result.
void run(Predictor& predictor, int64_t count, const Predictor::Pixels& pixels, const InferenceOptions& options,
         Output output, const Cancellation& cancellation, const Consume& consume, const Progress& progress) {
  c10::InferenceMode inference;
  auto& network = *predictor.network();
  network.check_affinity(options.affinity);
  network.train(false);
  for (int64_t first = 0; first < count; first += options.batch_size) {
    cancellation.check();
    const int64_t last = std::min(count, first + options.batch_size);
    const auto answers = predictor.answer(pixels, first, last, options, output);
    consume(options.flip ? (answers + predictor.answer(mirrored(pixels), first, last, options, output)) / 2 : answers);
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

at::Tensor crop(const Input& input) {
  if (!input.box) return input.pixels.unsqueeze(0);
  const auto& box = *input.box;
  return input.pixels.narrow(0, box.top, box.height).narrow(1, box.left, box.width).unsqueeze(0);
}

/// As the network sees it but for normalisation, so that pictures of any sizes and colours make one batch.
at::Tensor fitted(const Input& input, const InputFormat& format) {
  const auto picture = crop(input);
  const auto colored = picture.size(3) == 1 ? picture : to_color(picture, format.color);
  return resize(colored, format.size, format.size);
}

}  // namespace

Predictor::Pixels pixels_of(const ImageSet& images, const std::vector<int64_t>& indices) {
  check_indices(images, indices);
  return [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> pictures;
    for (int64_t i = first; i < last; ++i) pictures.push_back(images.pixels[indices[static_cast<size_t>(i)]]);
    return at::stack(pictures);
  };
}

at::Tensor infer(Predictor& predictor, const std::vector<Input>& inputs, const InferenceOptions& options, Output output,
                 const Cancellation& cancellation) {
  const auto& format = predictor.network()->spec().input;
  const auto pixels = [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> pictures;
    int64_t channels = 1;
    for (int64_t i = first; i < last; ++i) {
      pictures.push_back(fitted(inputs[static_cast<size_t>(i)], format));
      channels = std::max(channels, pictures.back().size(3));
    }
    if (pictures.size() == 1) return pictures.front();
    for (auto& picture : pictures) picture = picture.expand({1, format.size, format.size, channels});
    return at::cat(pictures);
  };
  Rows rows;
  run(predictor, static_cast<int64_t>(inputs.size()), pixels, options, output, cancellation, rows.add(),
      [](int64_t) {});
  return rows.all(*predictor.network());
}

at::Tensor infer(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
                 const InferenceOptions& options, const Cancellation& cancellation, const Progress& progress) {
  Rows rows;
  run(predictor, static_cast<int64_t>(indices.size()), pixels_of(images, indices), options, Output::logits,
      cancellation, rows.add(), progress);
  return rows.all(*predictor.network());
}

void calibrate(Predictor& predictor, const ImageSet& images, const std::vector<int64_t>& indices,
               const InferenceOptions& options, const Cancellation& cancellation, const Progress& progress) {
  auto& network = *predictor.network();
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
  run(predictor, static_cast<int64_t>(indices.size()), pixels_of(images, indices), unique, Output::features,
      cancellation, add, progress);
  network.calibrate(sum / static_cast<double>(indices.size()));
}

}  // namespace fer
