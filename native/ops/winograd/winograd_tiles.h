#pragma once
#include <algorithm>

#include "core/lanes.h"
#include "ops/winograd/winograd_math.h"

// Tiles of 4 x 4 pixels of a map, and their transforms.
namespace fer::winograd {
namespace math = winograd_math;

/// A map, channels-last, and how tiles cover it.
struct MapShape {
  int64_t images, height, width, channels;
  int64_t rows() const { return (height + math::tile - 1) / math::tile; }
  int64_t columns() const { return (width + math::tile - 1) / math::tile; }
  int64_t tiles() const { return images * rows() * columns(); }
  int64_t pixel(int64_t image, int64_t y, int64_t x) const { return ((image * height + y) * width + x) * channels; }
};

/// So many tiles from `first` on, in transforms that have room for `capacity`: 36 planes of (tiles, channels). Sixteen
/// more than fit keep the planes out of each other's cache sets.
struct Chunk {
  int64_t first, count, capacity;
  int64_t plane(int64_t channels) const { return capacity * channels + lanes; }
  int64_t floats(int64_t channels) const { return math::planes * plane(channels); }
};

/// Where a tile's pixels begin.
struct Place {
  int64_t image, top, left;
  Place(const MapShape& map, int64_t tile)
      : image(tile / (map.rows() * map.columns())),
        top(tile / map.columns() % map.rows() * math::tile),
        left(tile % map.columns() * math::tile) {}
};

/// Where a square of pixels lies, for all channels: beyond the map it reads zeros, always the same sixteen.
template <int side, typename scalar_t>
class Square {
 public:
  FER_INLINE Square(const scalar_t* map, const MapShape& shape, int64_t image, int64_t top, int64_t left) {
    static constexpr scalar_t zeros[lanes] = {};
    for (int i = 0; i < side; ++i) {
      const int64_t y = top + i;
      for (int j = 0; j < side; ++j) {
        const int64_t x = left + j;
        const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
        pixels_[i * side + j] = inside ? map + shape.pixel(image, y, x) : zeros;
        channel_mask_[i * side + j] = inside ? -1 : 0;
      }
    }
  }
  FER_INLINE Lanes at(int64_t channel, int i, int j) const {
    return load(pixels_[i * side + j] + (channel & channel_mask_[i * side + j]));
  }

 private:
  const scalar_t* pixels_[side * side];
  int64_t channel_mask_[side * side];  // -1, or 0 where the pixel is beyond the map
};

/// B^T d B of the six by six pixels around a tile, sixteen channels.
template <typename scalar_t>
FER_INLINE void transform_patch(const Square<math::patch, scalar_t>& square, int64_t channel, float* to,
                                int64_t plane) {
  Lanes rows[math::planes];
  for (int i = 0; i < math::patch; ++i) {
    Lanes row[math::patch];
    for (int j = 0; j < math::patch; ++j) row[j] = square.at(channel, i, j);
    math::transform_input(row, 1, rows + i * math::patch, 1);
  }
  for (int j = 0; j < math::patch; ++j) {
    Lanes column[math::patch];
    math::transform_input(rows + j, math::patch, column, 1);
    for (int i = 0; i < math::patch; ++i) store(column[i], to + (i * math::patch + j) * plane);
  }
}

/// A d A^T of the gradients of a tile, sixteen channels.
template <typename scalar_t>
FER_INLINE void transform_gradient_tile(const Square<math::tile, scalar_t>& square, int64_t channel, float* to,
                                        int64_t plane) {
  Lanes rows[math::tile * math::patch];
  for (int i = 0; i < math::tile; ++i) {
    Lanes row[math::tile];
    for (int j = 0; j < math::tile; ++j) row[j] = square.at(channel, i, j);
    math::transform_gradient(row, 1, rows + i * math::patch, 1);
  }
  for (int j = 0; j < math::patch; ++j) {
    Lanes column[math::patch];
    math::transform_gradient(rows + j, math::patch, column, 1);
    for (int i = 0; i < math::patch; ++i) store(column[i], to + (i * math::patch + j) * plane);
  }
}

/// What is done to the sums of products.
struct Finish {
  const float* bias;  // or null
  bool adds, relu;
};

/// A^T m A, sixteen channels, and what follows it; pixels beyond the map are dropped.
template <typename scalar_t>
FER_INLINE void transform_products(const float* from, int64_t plane, const MapShape& shape, const Place& place,
                                   const Lanes& bias, const Finish& finish, scalar_t* map) {
  Lanes rows[math::tile * math::patch];
  for (int j = 0; j < math::patch; ++j) {
    Lanes column[math::patch];
    for (int i = 0; i < math::patch; ++i) column[i] = load(from + (i * math::patch + j) * plane);
    math::transform_output(column, 1, rows + j, math::patch);
  }
  const int64_t height = std::min<int64_t>(math::tile, shape.height - place.top);
  const int64_t width = std::min<int64_t>(math::tile, shape.width - place.left);
  for (int64_t i = 0; i < height; ++i) {
    Lanes outputs[math::tile];
    math::transform_output(rows + i * math::patch, 1, outputs, 1);
    scalar_t* to = map + shape.pixel(place.image, place.top + i, place.left);
    for (int64_t j = 0; j < width; ++j, to += shape.channels) {
      Lanes value = outputs[j] + bias;
      if (finish.adds) value += load(to);
      store(finish.relu ? rectified(value) : value, to);
    }
  }
}

}  // namespace fer::winograd
