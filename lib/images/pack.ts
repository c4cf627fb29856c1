import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { settled } from '../calls.js'
import type { Color } from '../catalog.js'
import { faceOf } from '../datasets/block.js'
import type { PixelBlock, Split } from '../datasets/dataset.js'
import { type ImageSet, native } from '../native.js'
import type { Tensor } from '../tensor.js'
import { packFolder } from './cache.js'
import { digestLength, digestOf, findPlaces, labelsOf, readDigests, version } from './pack-file.js'
import { makePack } from './pack-making.js'

export interface PackOptions {
  /** Side of the square the network reads. */
  readonly imageSize: number
  readonly color: Color
  /** Whether the pictures will be augmented: resized ones then keep a margin. */
  readonly augmented: boolean
  /** Where the packed file is kept: in the cache, if not given. */
  readonly folder?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** After each picture; at once where a run before this one was interrupted, with what that one did. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** The pictures of a split, decoded once and all of one size. */
export interface Packed {
  /** As native code reads them. */
  imageSet(labels: Int32Array, targets?: Tensor<'float32'>): Promise<ImageSet>
  /** Of each picture as it was decoded, 16 bytes: equal where, and only where, all pixels are. */
  digests(): Promise<Uint8Array>
}

/** The same, with the labels of the split. */
export async function pack(split: Split, options: PackOptions): Promise<ImageSet> {
  return (await packPictures(split, options)).imageSet(labelsOf(split.samples))
}

/**
 * In place where they are in memory already, else from a memory-mapped file in the cache, made if it is not there. A
 * file whose making was interrupted, by an abort or by the end of the process, is gone on with. ERR_OUTPUT where it
 * cannot be written, before anything is decoded where the disk has too little room.
 */
export async function packPictures(split: Split, options: PackOptions): Promise<Packed> {
  if (split.pixels) return inMemory(split.pixels)
  const { samples } = split
  const path = join(options.folder ?? packFolder(), `${keyOf(split, options)}.safetensors`)
  const places = (await findPlaces(path, samples.length)) ?? (await makePack(path, samples, options))
  return {
    imageSet: (labels, targets) =>
      settled(() => new native.ImageSet({ path, ...places.pixels }, labels, targets)),
    digests: () => readDigests(path, places),
  }
}

function keyOf(split: Split, { imageSize, color, augmented }: PackOptions): string {
  const parts = [version, split.fingerprint, imageSize, color, augmented]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

/** Pictures in a row, a few milliseconds of the event loop. */
const digestedAtOnce = 256

function inMemory(block: PixelBlock): Packed {
  const { data, shape } = block
  return {
    imageSet: async (labels, targets) =>
      new native.ImageSet({ dtype: 'uint8', shape, data }, labels, targets),
    digests: async () => {
      const digests = new Uint8Array(shape[0] * digestLength)
      for (let index = 0; index < shape[0]; index++) {
        digests.set(digestOf(faceOf(block, index)), index * digestLength)
        if (index % digestedAtOnce === 0) await setImmediate()
      }
      return digests
    },
  }
}
