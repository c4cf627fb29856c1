#include "models/catalog.h"

#include "models/arm_head.h"
#include "models/gap_head.h"
#include "models/resnet.h"
#include "ops/de_albino/de_albino.h"

namespace fer {

int64_t Stem::feature_side(int64_t image_size) const {
  const auto halve = [](int64_t side) { return (side + 1) / 2; };
  int64_t side = stride == 2 ? halve(image_size) : image_size;
  if (pool) side = halve(side);
  for (int stage = 2; stage <= 4; ++stage) side = halve(side);
  return side;
}

const Catalog<Stem>& stems() {
  static const Catalog<Stem> rows("stem", {
                                              {"standard", {.kernel = 7, .stride = 2, .pool = true}},
                                              {"medium", {.kernel = 3, .stride = 2, .pool = false}},
                                              {"small", {.kernel = 3, .stride = 1, .pool = false}},
                                          });
  return rows;
}

const Catalog<BackboneFactory>& backbones() {
  static const Catalog<BackboneFactory> rows("backbone", {
                                                             {"resnet18", resnet18},
                                                             {"resnet34", resnet34},
                                                         });
  return rows;
}

const Catalog<Affinity>& affinities() {
  static const Catalog<Affinity> rows("affinity", {
                                                      {"ema", Affinity::ema},
                                                      {"batch", Affinity::batch},
                                                      {"none", Affinity::none},
                                                  });
  return rows;
}

const Catalog<HeadRow>& heads() {
  static const Catalog<HeadRow> rows("head",
                                     {
                                         {"arm", {arm_head, arm_feature_count}},
                                         {"gap", {gap_head, [](int64_t, int64_t channels) { return channels; }}},
                                     });
  return rows;
}

}  // namespace fer
