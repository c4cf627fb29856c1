import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { ModelInfo } from '../model/info.js'
import type { Tensor } from '../tensor.js'

/** Lehmer's generator: the same numbers, 0 to 1, on every machine. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

/** Of noise: what a picture shows does not change how long it takes. */
export function noisePixels(count: number, side: number): Tensor<'uint8'> {
  const draw = randomNumbers(1)
  const data = Uint8Array.from({ length: count * side * side * 3 }, () => Math.floor(256 * draw()))
  return { dtype: 'uint8', shape: [count, side, side, 3], data }
}

/** The same pixels as peers take them: (N, 3, S, S) float32, normalised. */
export async function writeNormalized(
  path: string,
  pixels: Tensor<'uint8'>,
  { normalization: { mean, deviation } }: ModelInfo,
): Promise<void> {
  const [count, height, width] = pixels.shape as [number, number, number]
  const area = height * width
  const normalized = new Float32Array(count * 3 * area)
  for (let image = 0; image < count; image++)
    for (let channel = 0; channel < 3; channel++)
      for (let pixel = 0; pixel < area; pixel++) {
        const value = pixels.data[(image * area + pixel) * 3 + channel]! / 255
        normalized[(image * 3 + channel) * area + pixel] = (value - mean[channel]!) / deviation[channel]!
      }
  await writeFloats(path, normalized)
}

export const writeFloats = (path: string, { buffer, byteOffset, byteLength }: Float32Array): Promise<void> =>
  writeFile(path, new Uint8Array(buffer, byteOffset, byteLength))

/** The bytes of a JPEG of about as many bits a pixel as a camera's. */
export function photograph(width: number, height: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  return sharp({ create: { width, height, channels: 3, background: 'grey', noise } })
    .blur(1.5)
    .jpeg({ quality: 90 })
    .toBuffer()
}
