#include "ops/winograd/winograd_transforms.h"

namespace fer::winograd {
namespace {

template <typename scalar_t>
FER_INLINE void transform_inputs_of(const scalar_t* map, const MapShape& shape, const Chunk& chunk, Range range,
                                    float* to) {
  for (int64_t t = range.begin; t < range.end; ++t) {
    const Place place(shape, chunk.first + t);
    const Square<math::patch, scalar_t> square(map, shape, place.image, place.top - 1, place.left - 1);
    for (int64_t c = 0; c < shape.channels; c += lanes) {
      transform_patch(square, c, to + t * shape.channels + c, chunk.plane(shape.channels));
    }
  }
}

template <typename scalar_t>
FER_INLINE void transform_gradients_of(const scalar_t* map, const MapShape& shape, const Chunk& chunk, Range range,
                                       float* to) {
  for (int64_t t = range.begin; t < range.end; ++t) {
    const Place place(shape, chunk.first + t);
    const Square<math::tile, scalar_t> square(map, shape, place.image, place.top, place.left);
    for (int64_t c = 0; c < shape.channels; c += lanes) {
      transform_gradient_tile(square, c, to + t * shape.channels + c, chunk.plane(shape.channels));
    }
  }
}

template <typename scalar_t>
FER_INLINE void transform_products_of(const float* from, const MapShape& shape, const Chunk& chunk, Range range,
                                      const Finish& finish, scalar_t* map) {
  for (int64_t t = range.begin; t < range.end; ++t) {
    const Place place(shape, chunk.first + t);
    for (int64_t c = 0; c < shape.channels; c += lanes) {
      const Lanes bias = finish.bias ? load(finish.bias + c) : Lanes{};
      transform_products(from + t * shape.channels + c, chunk.plane(shape.channels), shape, place, bias, finish,
                         map + c);
    }
  }
}

}  // namespace

// One build of each for each instruction set and type: what is built so cannot be a template.
FER_VECTORIZED void transform_inputs(const float* map, MapShape shape, Chunk chunk, Range range, float* to) {
  transform_inputs_of(map, shape, chunk, range, to);
}
FER_VECTORIZED void transform_inputs(const c10::BFloat16* map, MapShape shape, Chunk chunk, Range range, float* to) {
  transform_inputs_of(map, shape, chunk, range, to);
}
FER_VECTORIZED void transform_gradients(const float* map, MapShape shape, Chunk chunk, Range range, float* to) {
  transform_gradients_of(map, shape, chunk, range, to);
}
FER_VECTORIZED void transform_gradients(const c10::BFloat16* map, MapShape shape, Chunk chunk, Range range, float* to) {
  transform_gradients_of(map, shape, chunk, range, to);
}
FER_VECTORIZED void transform_outputs(const float* from, MapShape shape, Chunk chunk, Range range, Finish finish,
                                      float* map) {
  transform_products_of(from, shape, chunk, range, finish, map);
}
FER_VECTORIZED void transform_outputs(const float* from, MapShape shape, Chunk chunk, Range range, Finish finish,
                                      c10::BFloat16* map) {
  transform_products_of(from, shape, chunk, range, finish, map);
}

}  // namespace fer::winograd
