#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include <algorithm>

#include "core/error.h"
#include "core/processor.h"
#include "core/scratch.h"
#include "ops/winograd/winograd.h"
#include "ops/winograd/winograd_product.h"
#include "ops/winograd/winograd_transforms.h"
#include "ops/winograd/winograd_weight.h"

namespace fer::winograd {
namespace {

constexpr auto float_bytes = static_cast<int64_t>(sizeof(float));
constexpr int64_t widest_panel = 64;

/// How work is cut for a product of so many channels by so many. Transforms and, with few channels, transformed weights
/// stay in a core's own cache; and what one core writes and another reads costs more than the arithmetic of either.
struct Cut {
  int64_t in, out;

  int64_t weight_floats() const { return math::planes * in * out; }
  /// Whether each thread takes chunks of its own; otherwise all work at one chunk, each at some of the weights.
  bool apart() const { return weight_floats() * float_bytes <= few_weights; }
  int64_t tiles_of_a_core() const { return std::max(cached / tile_bytes(), fewest_tiles); }
  /// As many values of tiles as of weights, so that reading neither is most of the work.
  int64_t tiles_of_all() const {
    return std::max(cached * at::get_num_threads() / tile_bytes(), in * out / (in + out));
  }
  /// Narrower where there would be threads without one.
  int64_t panel_width(int64_t columns) const {
    int64_t width = widest_panel;
    while (width > lanes && at::divup(columns, width) < at::get_num_threads()) width /= 2;
    return width;
  }

 private:
  static constexpr int64_t cached = 640 << 10;     // bytes, of a core's 1 MB or more
  static constexpr int64_t few_weights = 4 << 20;  // bytes that each core may have for itself
  static constexpr int64_t fewest_tiles = 24;
  int64_t tile_bytes() const { return math::planes * (in + out) * float_bytes; }
};

float* tile_scratch(int64_t count) {
  thread_local Scratch memory;
  return memory.take(count);
}

float* weight_scratch(int64_t count) {
  thread_local Scratch memory;
  return memory.take(count);
}

template <typename Function>
void for_each(int64_t count, const Function& function) {
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) function(i);
  });
}

template <typename Function>
void for_each_chunk(Range tiles, int64_t capacity, const Function& function) {
  for (int64_t first = tiles.begin; first < tiles.end; first += capacity) {
    function(Chunk{first, std::min(capacity, tiles.end - first), capacity});
  }
}

template <typename Function>
void for_tiles(const Chunk& chunk, const Function& function) {
  at::parallel_for(0, chunk.count, 1, [&](int64_t begin, int64_t end) { function(Range{begin, end}); });
}

/// 36 planes, each cut into panels that lie one after the other.
void transform_all(const LiveWeight& weight, const Panels& panels, float* to) {
  for_each(panels.count(),
           [&](int64_t panel) { weight.transform(panels, panel, to + panels.place(panel), panels.floats()); });
}

/// Transformed tiles times transformed weights, transformed back: a convolution.
template <typename scalar_t>
struct Forward {
  MapShape in, out;
  const scalar_t* input;
  Finish finish;
  scalar_t* output;

  Cut cut() const { return {in.channels, out.channels}; }

  /// With weights that are transformed already.
  void run(const float* weights, const Panels& panels) const {
    const auto by_planes = [&](const Chunk& chunk, const float* inputs, float* products) {
      for_each(math::planes * panels.count(), [&](int64_t i) {
        const int64_t plane = i / panels.count(), panel = i % panels.count();
        const float* from = weights + plane * panels.floats() + panels.place(panel);
        multiply_panel(chunk, inputs, plane, from, panels, panel, products);
      });
    };
    if (cut().apart()) {
      const int64_t tiles = in.tiles(), threads = at::get_num_threads();
      const int64_t chunks = threads * at::divup(tiles, threads * cut().tiles_of_a_core());
      const int64_t capacity = at::divup(tiles, chunks);
      return for_each(at::divup(tiles, capacity), [&](int64_t i) {
        convolve({i * capacity, std::min(capacity, tiles - i * capacity), capacity}, by_planes);
      });
    }
    for_each_chunk({0, in.tiles()}, chunk_of_all(), [&](const Chunk& chunk) { convolve(chunk, by_planes); });
  }

  /// With weights that are used this once.
  void run(const LiveWeight& weight) const {
    const auto panels = weight.panels(cut().panel_width(out.channels));
    if (cut().apart() || chunk_of_all() < in.tiles()) {
      float* weights = weight_scratch(cut().weight_floats());
      transform_all(weight, panels, weights);
      return run(weights, panels);
    }
    // All tiles at once: then a panel of the weights is used as soon as it is made, while the caches hold it.
    convolve({0, in.tiles(), in.tiles()}, [&](const Chunk& chunk, const float* inputs, float* products) {
      for_each(panels.count(), [&](int64_t panel) {
        const int64_t plane_floats = panels.rows * panels.width(panel);
        float* weights = weight_scratch(math::planes * plane_floats);
        weight.transform(panels, panel, weights, plane_floats);
        for (int64_t plane = 0; plane < math::planes; ++plane) {
          multiply_panel(chunk, inputs, plane, weights + plane * plane_floats, panels, panel, products);
        }
      });
    });
  }

 private:
  int64_t chunk_of_all() const {
    const int64_t tiles = in.tiles();
    return at::divup(tiles, at::divup(tiles, cut().tiles_of_all()));
  }

  /// On as many threads as there are, or on one where the chunks themselves are spread over them.
  template <typename Multiply>
  void convolve(const Chunk& chunk, const Multiply& multiply) const {
    float* inputs = tile_scratch(chunk.floats(in.channels) + chunk.floats(out.channels));
    float* products = inputs + chunk.floats(in.channels);
    for_tiles(chunk, [&](Range range) { transform_inputs(input, in, chunk, range, inputs); });
    multiply(chunk, inputs, products);
    for_tiles(chunk, [&](Range range) { transform_outputs(products, out, chunk, range, finish, output); });
  }

  void multiply_panel(const Chunk& chunk, const float* inputs, int64_t plane, const float* weights,
                      const Panels& panels, int64_t panel, float* products) const {
    multiply({.a = inputs + plane * chunk.plane(in.channels),
              .a_row = in.channels,
              .a_depth = 1,
              .b = weights,
              .b_depth = panels.width(panel),
              .c = products + plane * chunk.plane(out.channels) + panels.first(panel),
              .c_row = out.channels,
              .rows = chunk.count,
              .columns = panels.width(panel),
              .depth = in.channels,
              .accumulates = false});
  }
};

FER_VECTORIZED void add_to(float* sums, const float* more, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += more[i];
}

/// The product of the transformed gradients of the output, transposed, and the transformed inputs, over all tiles.
template <typename scalar_t>
struct WeightGradient {
  MapShape in, out;
  const scalar_t* input;
  const scalar_t* gradient;
  float* output;  // (O, 3, 3, I)

  Cut cut() const { return {in.channels, out.channels}; }

  void run() const {
    if (cut().apart()) return sum_apart();
    float* sums = weight_scratch(cut().weight_floats());
    for_each_chunk({0, in.tiles()}, cut().tiles_of_all(), [&](const Chunk& chunk) {
      const auto [inputs, gradients] = transform(chunk);
      // By planes: a thread reads the transforms of its planes alone, each panel of them from its own cache.
      for_each(math::planes, [&](int64_t plane) {
        add_products(chunk, inputs, gradients, plane, /*begins=*/chunk.first == 0, sums);
      });
    });
    transform_back(sums);
  }

 private:
  struct Transformed {
    const float* inputs;
    const float* gradients;
  };
  Transformed transform(const Chunk& chunk) const {
    float* inputs = tile_scratch(chunk.floats(in.channels) + chunk.floats(out.channels));
    float* gradients = inputs + chunk.floats(in.channels);
    for_tiles(chunk, [&](Range range) {
      transform_inputs(input, in, chunk, range, inputs);
      transform_gradients(gradient, out, chunk, range, gradients);
    });
    return {inputs, gradients};
  }

  Panels panels() const { return {out.channels, in.channels, widest_panel}; }

  /// Of one plane, all its panels.
  void add_products(const Chunk& chunk, const float* inputs, const float* gradients, int64_t plane, bool begins,
                    float* sums) const {
    for (int64_t panel = 0; panel < panels().count(); ++panel) {
      multiply({.a = gradients + plane * chunk.plane(out.channels),
                .a_row = 1,
                .a_depth = out.channels,
                .b = inputs + plane * chunk.plane(in.channels) + panels().first(panel),
                .b_depth = in.channels,
                .c = sums + plane * panels().floats() + panels().place(panel),
                .c_row = panels().width(panel),
                .rows = out.channels,
                .columns = panels().width(panel),
                .depth = chunk.count,
                .accumulates = !begins});
    }
  }

  void transform_back(const float* sums) const {
    for_each(panels().count(), [&](int64_t panel) {
      transform_weight_gradients(sums + panels().place(panel), panels().floats(), panels(), panel, output);
    });
  }

  /// Each thread sums over a share of the tiles; then the sums are added.
  void sum_apart() const {
    const int64_t tiles = in.tiles(), floats = cut().weight_floats();
    const int64_t share = at::divup(tiles, at::get_num_threads()), shares = at::divup(tiles, share);
    float* sums = weight_scratch(shares * floats);
    for_each(shares, [&](int64_t i) {
      const Range range{i * share, std::min((i + 1) * share, tiles)};
      for_each_chunk(range, cut().tiles_of_a_core(), [&](const Chunk& chunk) {
        const auto [inputs, gradients] = transform(chunk);
        for (int64_t plane = 0; plane < math::planes; ++plane) {
          add_products(chunk, inputs, gradients, plane, /*begins=*/chunk.first == range.begin, sums + i * floats);
        }
      });
    });
    at::parallel_for(0, floats / lanes, 1 << 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = 1; i < shares; ++i) {
        add_to(sums + begin * lanes, sums + i * floats + begin * lanes, (end - begin) * lanes);
      }
    });
    transform_back(sums);
  }
};

MapShape shape_of(const at::Tensor& map) { return {map.size(0), map.size(2), map.size(3), map.size(1)}; }

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor new_map(at::IntArrayRef sizes, const at::Tensor& like, std::optional<at::ScalarType> dtype = {}) {
  return at::empty(
      sizes, like.options().dtype(dtype.value_or(like.scalar_type())).memory_format(at::MemoryFormat::ChannelsLast));
}

template <typename Function>
void with_type(const at::Tensor& map, const Function& function) {
  if (map.scalar_type() == at::kBFloat16) return function(c10::BFloat16{});
  if (map.scalar_type() == at::kFloat) return function(float{});
  throw Error("ERR_NATIVE", "winograd reads float32 and bfloat16");
}

WeightShape weight_shape(const at::Tensor& weight) { return {weight.size(0), weight.size(1)}; }

/// A map like `input` but for its channels, or `memory` where it is defined, with what `run` makes of it.
template <typename Run>
at::Tensor convolve(const at::Tensor& input, int64_t channels, Finish finish, const at::Tensor& memory,
                    const Run& run) {
  const auto dense = channels_last(input);
  auto output = memory.defined() ? memory : new_map({input.size(0), channels, input.size(2), input.size(3)}, input);
  if (output.numel() == 0) return output;
  with_type(input, [&](auto type) {
    using scalar_t = decltype(type);
    run(Forward<scalar_t>{.in = shape_of(input),
                          .out = shape_of(output),
                          .input = dense.template const_data_ptr<scalar_t>(),
                          .finish = finish,
                          .output = output.template mutable_data_ptr<scalar_t>()});
  });
  return output;
}

at::Tensor convolve_once(const at::Tensor& input, const at::Tensor& weight, bool turned) {
  const auto dense = channels_last(weight);
  const LiveWeight live{dense.const_data_ptr<float>(), weight_shape(weight), turned};
  const Finish plain{.bias = nullptr, .adds = false, .relu = false};
  return convolve(input, weight.size(turned ? 1 : 0), plain, {}, [&](const auto& forward) { forward.run(live); });
}

}  // namespace

bool applies(const at::Tensor& weight, int64_t stride, int64_t padding) {
  return weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1 && weight.size(0) % lanes == 0 &&
         weight.size(1) % lanes == 0 && processor_has("avx512_f");
}

Weight transform_weight(const at::Tensor& weight) {
  const auto [out, in] = weight_shape(weight);
  const auto dense = channels_last(weight);
  auto planes = at::empty({math::planes * out * in}, at::kFloat);
  transform_all({dense.const_data_ptr<float>(), {out, in}, /*turned=*/false}, {in, out, widest_panel},
                planes.mutable_data_ptr<float>());
  return {planes, in, out};
}

at::Tensor convolution(const at::Tensor& input, const Weight& weight, const at::Tensor& bias, const at::Tensor& addend,
                       bool relu) {
  const Finish finish{bias.defined() ? bias.const_data_ptr<float>() : nullptr, addend.defined(), relu};
  return convolve(input, weight.out, finish, addend, [&](const auto& forward) {
    forward.run(weight.planes.const_data_ptr<float>(), Panels{weight.in, weight.out, widest_panel});
  });
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight) {
  RECORD_FUNCTION("fer_torch::winograd", {});
  return convolve_once(input, weight, /*turned=*/false);
}

at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight) {
  RECORD_FUNCTION("fer_torch::winograd_input_gradient", {});
  return convolve_once(gradient, weight, /*turned=*/true);
}

at::Tensor weight_gradient(const at::Tensor& input, const at::Tensor& gradient) {
  RECORD_FUNCTION("fer_torch::winograd_weight_gradient", {});
  const auto in = channels_last(input), out = channels_last(gradient);
  auto result = new_map({out.size(1), in.size(1), 3, 3}, in, at::kFloat);
  if (in.numel() == 0) return result.zero_();
  with_type(in, [&](auto type) {
    using scalar_t = decltype(type);
    WeightGradient<scalar_t>{.in = shape_of(in),
                             .out = shape_of(out),
                             .input = in.template const_data_ptr<scalar_t>(),
                             .gradient = out.template const_data_ptr<scalar_t>(),
                             .output = result.template mutable_data_ptr<float>()}
        .run();
  });
  return result;
}

}  // namespace fer::winograd
