import { cancellable } from '../calls.js'
import { type Dataset, type Split, type SplitName, splitRead } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { withoutOccurring } from '../images/duplicates.js'
import { type Packed, packPictures } from '../images/pack.js'
import { labelsOf } from '../images/pack-file.js'
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
  /** Faces that occur among the training faces of this data set are left out. */
  readonly excluding?: Dataset | undefined
  /** Where the pictures are packed; the cache where it is left out. */
  readonly folder?: string
}

/** Goes through the faces of a data set with one of a network's native calls, chosen before any is decoded. */
export async function measureFaces<T>(
  info: ModelInfo,
  data: Dataset,
  measuring: Measuring,
  measureOf: (split: Split) => OverFaces<T>,
): Promise<{ readonly result: T; readonly measured: Measured; readonly excluded: number }> {
  const { split: name, signal, inference, most, onProgress } = measuring
  const split = await data.open(name)
  const measure = measureOf(split)
  const packed = await packSplit(info, split, measuring)
  const allowed = await allowedFaces(info, split, packed, measuring)
  const images = await packed.imageSet(labelsOf(split.samples))
  const indices = evenlySpaced(allowed.length, most).map((place) => allowed[place]!)
  const result = await cancellable(signal, (cancellation, listening) =>
    measure(
      images,
      indices,
      inference,
      cancellation,
      listening((done) => onProgress?.(done, indices.length)),
    ),
  )
  const measured = { data: data.name, split: await splitRead(data, name), faces: indices.length }
  return { result, measured, excluded: split.samples.length - allowed.length }
}

const packSplit = (
  { imageSize, color }: ModelInfo,
  split: Split,
  { split: name, signal, folder, onPack }: Measuring,
  augmented = false,
): Promise<Packed> =>
  packPictures(split, {
    imageSize,
    color,
    augmented,
    folder,
    signal,
    onProgress: (done, total) => onPack?.({ split: augmented ? 'train' : name, done, total }),
  })

/** Indices of the faces that do not occur, pixel for pixel, among training faces. */
async function allowedFaces(
  info: ModelInfo,
  { samples }: Split,
  packed: Packed,
  measuring: Measuring,
): Promise<readonly number[]> {
  const { excluding, split } = measuring
  const indices = [...samples.keys()]
  if (!excluding) return indices
  const trained = await excluding.open('train')
  // As training packs them, which may have done so already.
  const others = await packSplit(info, trained, measuring, true)
  const digested = async (pictures: Packed, all: readonly number[]) => ({
    indices: all,
    digests: await pictures.digests(),
  })
  const [kept = []] = withoutOccurring(
    [await digested(packed, indices)],
    [await digested(others, [...trained.samples.keys()])],
  )
  if (kept.length > 0) return kept
  throw new FerError(
    'ERR_DATASET_EMPTY',
    `Every face of the ${split} split also occurs in the training faces of ${excluding.name}, pixel for pixel. Measure on others`,
  )
}

/** Indices of at most so many of `count` things. */
export const evenlySpaced = (count: number, most: number): number[] => {
  const taken = Math.min(count, most)
  return Array.from({ length: taken }, (_, index) => Math.floor((index * count) / taken))
}
