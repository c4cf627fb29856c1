import { cancellable } from '../calls.js'
import { type Dataset, type Split, type SplitName, splitRead } from '../datasets/dataset.js'
import { pack } from '../images/pack.js'
import type { NativeInference, OverFaces } from '../native.js'
import type { FacesSettings } from '../options/faces.js'
import type { ModelInfo } from './info.js'

/** Which faces a model was measured on, for its provenance. */
export interface Measured {
  readonly data: string
  readonly split: SplitName | 'all'
  readonly faces: number
}

export interface Measuring extends FacesSettings {
  readonly signal: AbortSignal | undefined
  readonly inference: NativeInference
  /** At most so many faces, evenly spaced. */
  readonly most: number
  /** Where the pictures are packed; the cache where it is left out. */
  readonly folder?: string
}

/** Goes through the faces of a data set with one of a network's native calls, chosen before any is decoded. */
export async function measureFaces<T>(
  info: ModelInfo,
  data: Dataset,
  { split: name, signal, inference, most, folder, onPack, onProgress }: Measuring,
  measureOf: (split: Split) => OverFaces<T>,
): Promise<{ readonly result: T; readonly measured: Measured }> {
  const split = await data.open(name)
  const measure = measureOf(split)
  const { imageSize, color } = info
  const images = await pack(split, {
    imageSize,
    color,
    augmented: false,
    folder,
    signal,
    onProgress: (done, total) => onPack?.({ split: name, done, total }),
  })
  const indices = evenlySpaced(split.samples.length, most)
  const result = await cancellable(signal, (cancellation, listening) =>
    measure(
      images,
      indices,
      inference,
      cancellation,
      listening((done) => onProgress?.(done, indices.length)),
    ),
  )
  return { result, measured: { data: data.name, split: await splitRead(data, name), faces: indices.length } }
}

/** Indices of at most so many of `count` things. */
export const evenlySpaced = (count: number, most: number): number[] => {
  const taken = Math.min(count, most)
  return Array.from({ length: taken }, (_, index) => Math.floor((index * count) / taken))
}
