#include "models/extractor.h"

#include "models/backbone.h"

namespace fer {

Extractor::Extractor(const std::string& backbone, const std::string& stem, const std::vector<NamedTensor>& weights)
    : backbone_(backbones().at(backbone)(stems().at(stem))) {
  load_state(state_of(*backbone_), sources_of(weights));
  backbone_->eval();
}

at::Tensor Extractor::forward(const at::Tensor& images, Precision precision) const {
  AutocastScope autocast(precision);
  return backbone_->forward(images.contiguous(at::MemoryFormat::ChannelsLast), {});
}

}  // namespace fer
