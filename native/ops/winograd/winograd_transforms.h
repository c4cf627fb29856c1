#pragma once
#include <c10/util/BFloat16.h>

#include "ops/winograd/winograd_tiles.h"

// Of many tiles, on this thread.
namespace fer::winograd {

/// The tiles [begin, end) of a chunk.
struct Range {
  int64_t begin, end;
};

/// A map's tiles to what products read: 36 planes of (tiles, channels).
void transform_inputs(const float* map, MapShape shape, Chunk chunk, Range range, float* to);
void transform_inputs(const c10::BFloat16* map, MapShape shape, Chunk chunk, Range range, float* to);
/// The same of the gradient of an output, for that of the weight.
void transform_gradients(const float* map, MapShape shape, Chunk chunk, Range range, float* to);
void transform_gradients(const c10::BFloat16* map, MapShape shape, Chunk chunk, Range range, float* to);
/// Products to the map.
void transform_outputs(const float* from, MapShape shape, Chunk chunk, Range range, Finish finish, float* map);
void transform_outputs(const float* from, MapShape shape, Chunk chunk, Range range, Finish finish, c10::BFloat16* map);

}  // namespace fer::winograd
