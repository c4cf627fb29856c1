#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <memory>

#include "core/processor.h"
#include "core/vectorize.h"
#include "ops/winograd/winograd.h"
#include "ops/winograd/winograd_math.h"

namespace fer::winograd {
namespace math = winograd_math;
namespace {

// Sixteen channels at once. Everything that takes or gives them is inlined, so their way of being passed is of no
// consequence.
#pragma GCC diagnostic ignored "-Wpsabi"
constexpr int64_t lanes = 16;
using Lanes = float __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float))));

struct Shape {
  int64_t images, height, width, in, out;
  int64_t rows() const { return (height + math::tile - 1) / math::tile; }
  int64_t columns() const { return (width + math::tile - 1) / math::tile; }
  int64_t tiles() const { return images * rows() * columns(); }
};

/// The tiles of one block and where their transforms lie: plane by plane, (tiles, channels) each. A plane more than
/// fits keeps the planes out of each other's cache sets.
struct Block {
  int64_t first, count, capacity;
  int64_t in_plane(const Shape& shape) const { return capacity * shape.in + lanes; }
  int64_t out_plane(const Shape& shape) const { return capacity * shape.out + lanes; }
};

struct Tile {
  int64_t image, top, left;
  Tile(const Shape& shape, int64_t index)
      : image(index / (shape.rows() * shape.columns())),
        top(index / shape.columns() % shape.rows() * math::tile),
        left(index % shape.columns() * math::tile) {}
};

FER_INLINE Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
FER_INLINE void store(Lanes value, float* to) { *reinterpret_cast<Lanes*>(to) = value; }

FER_INLINE void transform_patch(const float* image, const Shape& shape, const Tile& tile, float* to, int64_t plane) {
  Lanes columns[math::planes], patch[math::planes];
  for (int64_t c = 0; c < shape.in; c += lanes) {
    for (int i = 0; i < math::patch; ++i) {
      const int64_t y = tile.top - 1 + i;
      for (int j = 0; j < math::patch; ++j) {
        const int64_t x = tile.left - 1 + j;
        const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
        patch[i * math::patch + j] = inside ? load(image + (y * shape.width + x) * shape.in + c) : Lanes{};
      }
    }
    for (int j = 0; j < math::patch; ++j) math::transform_input(patch + j, math::patch, columns + j, math::patch);
    for (int i = 0; i < math::patch; ++i) {
      math::transform_input(columns + i * math::patch, 1, patch + i * math::patch, 1);
    }
    for (int k = 0; k < math::planes; ++k) store(patch[k], to + k * plane + c);
  }
}

FER_VECTORIZED void transform_inputs(const float* input, Shape shape, Block block, float* to) {
  for (int64_t t = 0; t < block.count; ++t) {
    const Tile tile(shape, block.first + t);
    const float* image = input + tile.image * shape.height * shape.width * shape.in;
    transform_patch(image, shape, tile, to + t * shape.in, block.in_plane(shape));
  }
}

/// What is done to the sums of products.
struct Finish {
  const float* bias;
  bool adds, relu;
};

FER_INLINE void transform_products(const float* from, int64_t plane, const Shape& shape, const Tile& tile,
                                   const Finish& finish, float* image) {
  Lanes products[math::planes], rows[math::tile * math::patch], outputs[math::tile * math::tile];
  const int64_t height = std::min<int64_t>(math::tile, shape.height - tile.top);
  const int64_t width = std::min<int64_t>(math::tile, shape.width - tile.left);
  for (int64_t c = 0; c < shape.out; c += lanes) {
    for (int k = 0; k < math::planes; ++k) products[k] = load(from + k * plane + c);
    for (int j = 0; j < math::patch; ++j) math::transform_output(products + j, math::patch, rows + j, math::patch);
    for (int i = 0; i < math::tile; ++i) math::transform_output(rows + i * math::patch, 1, outputs + i * math::tile, 1);
    const Lanes bias = load(finish.bias + c);
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        float* to = image + ((tile.top + i) * shape.width + tile.left + j) * shape.out + c;
        Lanes value = outputs[i * math::tile + j] + bias;
        if (finish.adds) value += load(to);
        if (finish.relu) value = value < 0 ? Lanes{} : value;  // as written, it lets NaN through
        store(value, to);
      }
    }
  }
}

FER_VECTORIZED void transform_outputs(const float* products, Shape shape, Block block, Finish finish, float* output) {
  for (int64_t t = 0; t < block.count; ++t) {
    const Tile tile(shape, block.first + t);
    float* image = output + tile.image * shape.height * shape.width * shape.out;
    transform_products(products + t * shape.out, block.out_plane(shape), shape, tile, finish, image);
  }
}

void multiply(const float* inputs, const float* weights, const Shape& shape, const Block& block, float* products) {
  for (int64_t k = 0; k < math::planes; ++k) {
    at::native::cpublas::brgemm(block.count, shape.out, shape.in, shape.in, shape.out, shape.out, /*add_C=*/false,
                                inputs + k * block.in_plane(shape), weights + k * shape.in * shape.out,
                                products + k * block.out_plane(shape));
  }
}

/// Tiles a block: as many as a core's cache holds the transforms of, and an even share of all for each thread.
int64_t capacity_for(const Shape& shape) {
  constexpr int64_t cached = 640 << 10;  // bytes, of 1 MB or more
  const int64_t bytes = math::planes * (shape.in + shape.out) * static_cast<int64_t>(sizeof(float));
  const int64_t most = std::max<int64_t>(cached / bytes, 24);
  const int64_t threads = at::get_num_threads();
  const int64_t blocks = threads * ((shape.tiles() + threads * most - 1) / (threads * most));
  return (shape.tiles() + blocks - 1) / blocks;
}

/// Memory that each thread keeps: taken anew at each call, its pages would be too.
float* scratch(int64_t count) {
  thread_local std::unique_ptr<float[]> memory;
  thread_local int64_t size = 0;
  if (size < count) {
    memory = std::make_unique_for_overwrite<float[]>(count);
    size = count;
  }
  return memory.get();
}

void run(const Shape& shape, const float* input, const float* weights, const Finish& finish, float* output) {
  if (shape.tiles() == 0) return;
  const int64_t capacity = capacity_for(shape);
  at::parallel_for(0, (shape.tiles() + capacity - 1) / capacity, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Block block{b * capacity, std::min(capacity, shape.tiles() - b * capacity), capacity};
      float* inputs = scratch(math::planes * (block.in_plane(shape) + block.out_plane(shape)));
      float* products = inputs + math::planes * block.in_plane(shape);
      transform_inputs(input, shape, block, inputs);
      multiply(inputs, weights, shape, block, products);
      transform_outputs(products, shape, block, finish, output);
    }
  });
}

}  // namespace

bool applies(const at::Tensor& weight, int64_t stride, int64_t padding) {
  return weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1 && weight.size(0) % lanes == 0 &&
         weight.size(1) % lanes == 0 && processor_has("avx512_f");
}

at::Tensor transform_weight(const at::Tensor& weight) {
  const auto rows = at::from_blob(const_cast<double*>(&math::weight_rows[0][0]), {math::patch, 3}, at::kDouble);
  return at::einsum("ia,ocab,jb->ijco", {rows, weight.to(at::kDouble), rows}).flatten(0, 1).to(at::kFloat).contiguous();
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& transformed_weight, const at::Tensor& bias,
                       const at::Tensor& addend, bool relu) {
  const Shape shape{input.size(0), input.size(2), input.size(3), input.size(1), transformed_weight.size(2)};
  auto output = addend.defined() ? addend
                                 : at::empty({shape.images, shape.out, shape.height, shape.width},
                                             input.options().memory_format(at::MemoryFormat::ChannelsLast));
  const auto* weights = transformed_weight.const_data_ptr<float>();
  const Finish finish{bias.const_data_ptr<float>(), addend.defined(), relu};
  run(shape, input.const_data_ptr<float>(), weights, finish, output.mutable_data_ptr<float>());
  return output;
}

}  // namespace fer::winograd
