import { join } from 'node:path'
import type { ArmWeights } from '../ops.js'
import type { Tensor } from '../tensor.js'
import type { Feed } from './networks.js'
import { randomNumbers, writeFloats } from './pictures.js'

/** Of ResNet-18 at 224 x 224 pixels. */
const side = 7
const channels = 512
const outputSide = 2 * side - 3

export const drawFeatures = (count: number): Tensor<'float32'> => draw([count, side, side, channels], 1)

export function drawWeights(): Required<ArmWeights> {
  const maps = [channels / 256]
  return {
    kernel: draw([32, 32], 2),
    normWeight: draw(maps, 3),
    normBias: draw(maps, 4),
    normMean: draw(maps, 5),
    normVariance: draw(maps, 6),
    alpha: draw([1], 7),
    generic: draw([outputSide, outputSide], 8),
  }
}

/** From 0 to 1. */
function draw(shape: readonly number[], seed: number): Tensor<'float32'> {
  const count = shape.reduce((product, length) => product * length, 1)
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, randomNumbers(seed)) }
}

/** As a request holds them. */
export const asRequest = (weights: ArmWeights): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries<Tensor>({ ...weights }).map(([name, { shape, data }]) => [
      name,
      { shape, data: [...(data as Float32Array)] },
    ]),
  )

/** The same features as peers take them, (N, C, h, w). */
export async function writeFeatures(folder: string, { shape, data }: Tensor<'float32'>): Promise<Feed> {
  const count = shape[0]!
  const area = side * side
  const turned = data.map((_, i) => {
    const [image, place] = [Math.floor(i / (channels * area)), i % (channels * area)]
    return data[(image * area + (place % area)) * channels + Math.floor(place / area)]!
  })
  const input = join(folder, `features-${count}.floats`)
  await writeFloats(input, turned)
  return { input, shape: [count, channels, side, side] }
}
