import { createHash } from 'node:crypto'
import type { Color } from '../catalog.js'
import type { Picture, Sample } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { TensorEntry } from '../native.js'
import { makePrefix, readHeader } from '../safetensors.js'
import { readWhole, withFile } from './pack-disk.js'

// A pack is a safetensors file: labels (N), names, digests (N, 16) and pixels (N, H, W, C).

/** To be raised with any change that alters a packed pixel. */
export const version = 2
const format = `fer-torch pack ${version}`

/** Bytes, of SHA-256: two pictures of a billion agree by chance once in 10^20. */
export const digestLength = 16

export interface Place {
  readonly offset: number // bytes from the beginning of the file
  readonly shape: readonly number[]
}

export interface Places {
  readonly pixels: Place
  readonly digests: Place
}

/** All of a pack that is known before a picture is decoded. */
export interface Layout extends Places {
  /** What the file begins with: header, labels and names. */
  readonly head: Buffer
  /** Of the whole file. */
  readonly byteLength: number
}

export function layOut(
  samples: readonly Sample[],
  { width, height }: Omit<Picture, 'data' | 'channels'>,
  color: Color,
): Layout {
  const labels = labelsOf(samples)
  const names = Buffer.from(samples.map((sample) => sample.name).join('\n'))
  const digestsShape = [samples.length, digestLength]
  const shape = [samples.length, height, width, color === 'grey' ? 1 : 3]
  const entries: TensorEntry[] = [
    { name: 'labels', dtype: 'int32', shape: [labels.length] },
    { name: 'names', dtype: 'uint8', shape: [names.length] },
    { name: 'digests', dtype: 'uint8', shape: digestsShape },
    { name: 'pixels', dtype: 'uint8', shape },
  ]
  const prefix = makePrefix(entries, { format, color })
  const head = Buffer.concat([prefix, new Uint8Array(labels.buffer), names])
  const digests = { shape: digestsShape, offset: head.length }
  const pixels = { shape, offset: digests.offset + sizeOf(digestsShape) }
  return { head, digests, pixels, byteLength: pixels.offset + sizeOf(shape) }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1)

export const labelsOf = (samples: readonly Sample[]): Int32Array =>
  Int32Array.from(samples, ({ label }) => label)

export async function findPlaces(path: string, count: number): Promise<Places | undefined> {
  try {
    const { tensors, metadata } = await readHeader(path)
    const [pixels, digests] = ['pixels', 'digests'].map((name) =>
      tensors.find((tensor) => tensor.name === name),
    )
    const [faces, height = 0, width = 0, channels = 0] = pixels?.shape ?? []
    const isPictures = height > 0 && width > 0 && (channels === 1 || channels === 3)
    const fits = metadata.format === format && pixels?.dtype === 'uint8' && faces === count && isPictures
    const isDigests = digests?.dtype === 'uint8' && digests.shape.join() === [count, digestLength].join()
    return fits && isDigests && pixels.shape.length === 4 ? { pixels, digests } : undefined
  } catch {
    // Missing or damaged: it is only a cache, and made anew.
    return undefined
  }
}

export function digestOf({ data, width, height, channels }: Picture): Uint8Array {
  const hash = createHash('sha256').update(JSON.stringify([width, height, channels]))
  return hash.update(data).digest().subarray(0, digestLength)
}

export const readDigests = (path: string, { digests }: Places): Promise<Uint8Array> =>
  withFile(path, 'r', async (file) => {
    const bytes = new Uint8Array(sizeOf(digests.shape))
    if ((await readWhole(file, bytes, digests.offset)) < bytes.length)
      throw new FerError('ERR_BAD_DATA', `\`${path}\` is cut short. Remove it`)
    return bytes
  })
