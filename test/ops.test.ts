import test from 'ava'
import { FerError } from '../lib/index.js'
import { arm, backbone, resize, type Tensor } from '../lib/ops.js'

const random = (seed: number) => () => {
  // Lehmer's generator: enough for test data, and the same on every machine.
  seed = (seed * 48271) % 2147483647
  return seed / 2147483647 - 0.5
}

function float64(shape: number[], seed: number): Tensor<'float64'> {
  const draw = random(seed)
  const count = shape.reduce((a, b) => a * b, 1)
  return { dtype: 'float64', shape, data: Float64Array.from({ length: count }, draw) }
}

const at = (tensor: Tensor, ...index: number[]) =>
  Number(tensor.data[index.reduce((offset, i, axis) => offset * tensor.shape[axis]! + i, 0)])

/** ARM by the letter of the paper: no code shared with the kernels. */
function armByDefinition(features: Tensor, weights: Record<string, Tensor>): number[] {
  const [count, height, width, channels] = features.shape as [number, number, number, number]
  const maps = channels / 256
  const [rows, columns] = [2 * height - 3, 2 * width - 3]
  const result: number[] = []
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let mean = 0
        for (let c = 0; c < maps; c++) {
          let sum = 0
          for (let u = 0; u < 32; u++) {
            for (let v = 0; v < 32; v++) {
              const [row, column] = [8 * i + u, 8 * j + v]
              const channel = 256 * c + 16 * (row % 16) + (column % 16)
              sum +=
                at(weights.kernel!, u, v) *
                at(features, n, Math.floor(row / 16), Math.floor(column / 16), channel)
            }
          }
          const normalized = (sum - at(weights.normMean!, c)) / Math.sqrt(at(weights.normVariance!, c) + 1e-5)
          mean += (normalized * at(weights.normWeight!, c) + at(weights.normBias!, c)) / maps
        }
        const generic = weights.generic ? at(weights.alpha!, 0) * at(weights.generic, i, j) : 0
        result.push(mean + generic)
      }
    }
  }
  return result
}

const armWeights = (maps: number) => ({
  kernel: float64([32, 32], 2),
  normWeight: float64([maps], 3),
  normBias: float64([maps], 4),
  normMean: float64([maps], 5),
  normVariance: { ...float64([maps], 6), data: Float64Array.from({ length: maps }, (_, i) => 0.5 + i) },
})

test('arm agrees with the definition in the paper, with and without sharing affinity', async (t) => {
  const features = float64([2, 3, 4, 512], 1)
  const weights = armWeights(2)
  for (const given of [weights, { ...weights, alpha: float64([1], 8), generic: float64([3, 5], 9) }]) {
    const output = await arm(features, given)
    t.deepEqual([...output.shape], [2, 3, 5])
    const expected = armByDefinition(features, given)
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - Number(output.data[i]))))
    t.true(worst < 1e-10, `differs by ${worst}`)
  }
})

test('arm refuses shapes and types it cannot use, naming the field', async (t) => {
  const weights = armWeights(2)
  const refuses = async (features: unknown, given: unknown, pattern: RegExp) => {
    const error = await t.throwsAsync(() => arm(features as Tensor, given as never), { instanceOf: FerError })
    t.regex(error!.message, pattern)
  }
  await refuses(float64([1, 4, 4, 300], 1), weights, /multiple of 256/)
  await refuses(float64([4, 4, 512], 1), weights, /features\.shape/)
  await refuses({ ...float64([1, 4, 4, 512], 1), shape: [1, 4, 4, 256] }, weights, /32768 bytes/)
  await refuses(float64([1, 4, 4, 512], 1), { ...weights, kernel: undefined }, /weights\.kernel/)
  await refuses(
    float64([1, 4, 4, 512], 1),
    { ...weights, alpha: float64([1], 1) },
    /`weights.generic` to be a tensor/,
  )
  await refuses(undefined, weights, /features/)
  await refuses(float64([1, 1, 4, 512], 1), weights, /h and w at least 2/)
  const narrow = { ...weights, alpha: float64([1], 1), generic: float64([5, 1], 1) }
  await refuses(float64([1, 4, 4, 512], 1), narrow, /`weights.generic` to be of shape \(5, 5\)/)
})

test('a result is memory that LibTorch computed in, not a copy, and views with offsets are read where they lie', async (t) => {
  const whole = new Uint8Array(16 + 4 * 4 * 3).map((_, i) => i)
  const view = whole.subarray(16)
  const same = await resize({ dtype: 'uint8', shape: [1, 4, 4, 3], data: view }, 4)
  t.deepEqual([...same.data], [...view])
  const larger = await resize({ dtype: 'uint8', shape: [1, 4, 4, 3], data: view }, [8, 6])
  t.deepEqual([...larger.shape], [1, 8, 6, 3])
  t.is(larger.data.byteOffset, 0)
  t.is(larger.data.buffer.byteLength, 8 * 6 * 3)
})

test('resizing to the same size gives a copy, which outlives what it was made of', async (t) => {
  const data = new Uint8Array(2 * 4 * 4 * 3).fill(7)
  const same = await resize({ dtype: 'uint8', shape: [2, 4, 4, 3], data }, 4)
  data.fill(99)
  t.true(same.data.every((level) => level === 7))
})

test('resize halves a checkerboard into its antialiased grey', async (t) => {
  const data = Uint8Array.from({ length: 64 }, (_, i) => (((i >> 3) + i) % 2) * 255)
  const { data: half } = await resize({ dtype: 'uint8', shape: [1, 8, 8, 1], data }, 4)
  // Away from the edges the taps are 1, 3, 3, 1 eighths: as much of white as of black, 127.5 rounded. Reading only the
  // nearest pixels would give 0, 255, or at best the same; at the edges the filter is cut and the shares differ.
  for (const inner of [5, 6, 9, 10]) t.true(Math.abs(half[inner]! - 127.5) <= 1)
})

/** Shapes of torchvision's resnet18 without fc. */
function resnetWeights(): Record<string, Tensor> {
  const weights: Record<string, Tensor> = {}
  let seed = 1
  const set = (name: string, shape: number[], make: (draw: () => number) => number) => {
    const draw = random(++seed)
    const count = shape.reduce((a, b) => a * b, 1)
    weights[name] = { dtype: 'float32', shape, data: Float32Array.from({ length: count }, () => make(draw)) }
  }
  const norm = (name: string, channels: number) => {
    set(`${name}.weight`, [channels], () => 1)
    set(`${name}.bias`, [channels], () => 0)
    set(`${name}.running_mean`, [channels], () => 0)
    set(`${name}.running_var`, [channels], () => 1)
    weights[`${name}.num_batches_tracked`] = { dtype: 'int64', shape: [], data: new BigInt64Array(1) }
  }
  const convolution = (name: string, out: number, channels: number, side: number) =>
    set(
      `${name}.weight`,
      [out, channels, side, side],
      (draw) => draw() * Math.sqrt(24 / (channels * side * side)),
    )
  convolution('conv1', 64, 3, 3)
  norm('bn1', 64)
  for (let stage = 1, channels = 64; stage <= 4; stage++) {
    const out = 64 * 2 ** (stage - 1)
    for (let block = 0; block < 2; block++) {
      const name = `layer${stage}.${block}`
      convolution(`${name}.conv1`, out, block === 0 ? channels : out, 3)
      norm(`${name}.bn1`, out)
      convolution(`${name}.conv2`, out, out, 3)
      norm(`${name}.bn2`, out)
      if (block === 0 && stage > 1) {
        convolution(`${name}.downsample.0`, out, channels, 1)
        norm(`${name}.downsample.1`, out)
      }
    }
    channels = out
  }
  return weights
}

test('a backbone runs on weights by torchvision names and gives channels-last features', async (t) => {
  const network = backbone('resnet18', resnetWeights(), { stem: 'small' })
  const draw = random(99)
  const images = {
    dtype: 'float32',
    shape: [2, 32, 32, 3],
    data: Float32Array.from({ length: 2 * 32 * 32 * 3 }, draw),
  } as const
  const features = await network.forward(images)
  t.deepEqual([...features.shape], [2, 4, 4, 512])
  t.is(features.dtype, 'float32')
  t.true((features.data as Float32Array).some((value) => value > 0))
  t.true(
    (features.data as Float32Array).every((value) => value >= 0 && Number.isFinite(value)),
    'the last layer is a ReLU',
  )
  const first = await network.forward({
    ...images,
    shape: [1, 32, 32, 3],
    data: images.data.subarray(0, 32 * 32 * 3),
  })
  const worst = Math.max(
    ...(first.data as Float32Array).map((value, i) => Math.abs(value - Number(features.data[i]))),
  )
  t.true(worst < 1e-4)
})

test('a backbone names the weight that is missing, unknown or of another shape', async (t) => {
  const { 'conv1.weight': stem, ...rest } = resnetWeights()
  const refuses = (weights: Record<string, Tensor>, pattern: RegExp) => {
    const error = t.throws(() => backbone('resnet18', weights, { stem: 'small' }))
    t.is((error as FerError).code, 'ERR_BAD_MODEL')
    t.regex(error!.message, pattern)
  }
  refuses(rest, /no tensor `conv1.weight`/)
  refuses(
    { ...rest, 'conv1.weight': stem!, 'fc.weight': stem! },
    /`fc.weight` that the network does not know/,
  )
  const wrong = { dtype: 'float32', shape: [64, 3, 7, 7], data: new Float32Array(64 * 3 * 49) } as const
  refuses({ ...rest, 'conv1.weight': wrong }, /`conv1.weight` has shape \[64, 3, 7, 7\]/)
})
