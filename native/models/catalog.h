#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "core/catalog.h"

// Every part a network can be made of, by name. Light to include: the parts themselves are only declared.
namespace fer {

class Backbone;
class Head;

/// How the first layers shrink the picture, before the four stages that shrink it by 8.
struct Stem {
  int64_t kernel;
  int64_t stride;
  bool pool;

  /// Side of the last stage's feature map for a square picture.
  int64_t feature_side(int64_t image_size) const;
};

/// standard: by 32 in all, for 112 to 224 pixels; medium: by 16, for 64 to 112; small: by 8, for 32 to 64.
const Catalog<Stem>& stems();

using BackboneFactory = std::function<std::shared_ptr<Backbone>(const Stem&)>;
const Catalog<BackboneFactory>& backbones();

/// Where the generic part of ARM's sharing affinity comes from. At inference `ema` is the running mean, so that a
/// face's answer depends on that face alone; `batch` is the published behaviour; `none` leaves the part out.
enum class Affinity { ema, batch, none };
const Catalog<Affinity>& affinities();

struct HeadSpec {
  int64_t channels;
  int64_t side;  // of the backbone's square map
  int64_t classes;
  Affinity affinity;  // in training; `none` builds ARM without its alpha
};

struct HeadRow {
  std::function<std::shared_ptr<Head>(const HeadSpec&)> make;
  /// How many features the classifier gets from a map of this side.
  std::function<int64_t(int64_t side, int64_t channels)> feature_count;
};
const Catalog<HeadRow>& heads();

}  // namespace fer
