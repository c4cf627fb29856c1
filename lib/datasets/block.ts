import type { Picture, PixelBlock, Sample } from './dataset.js'

/** One sample a face of a block; each reads as a view over the block's own memory. */
export function blockSamples(
  block: PixelBlock,
  labels: ArrayLike<number>,
  nameOf: (index: number) => string,
): Sample[] {
  return Array.from(labels, (label, index) => ({
    name: nameOf(index),
    label,
    read: async () => faceOf(block, index),
  }))
}

export function faceOf({ data, shape }: PixelBlock, index: number): Picture {
  const [, height, width, channels] = shape
  const size = height * width * channels
  return { data: data.subarray(index * size, (index + 1) * size), width, height, channels }
}
