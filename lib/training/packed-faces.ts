import type { SplitName } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { withoutCopies, withoutOccurring } from '../images/duplicates.js'
import { type Packed, packPictures } from '../images/pack.js'
import type { ImageSet, NativeShare } from '../native.js'
import type { TrainingSettings } from '../options/training.js'
import type { Tensor } from '../tensor.js'
import { countOf, type Selection, type TrainingFaces } from './faces.js'
import { targetsOf } from './targets.js'

/** Some faces of a set to measure on. */
export interface MeasuredShare {
  readonly images: ImageSet
  readonly indices: readonly number[]
  readonly labels: Int32Array // of these, in their order
  /** What they are called. */
  readonly names: readonly string[]
}

/** The decoded pictures of a run, as native code reads them. */
export interface PackedFaces {
  readonly training: readonly NativeShare[]
  readonly validation: readonly MeasuredShare[]
  /** What became of them on the way: for the log and for the record. */
  readonly counts: FaceCounts
}

export interface FaceCounts {
  readonly training: number
  readonly validation: number
  /** Exact copies of another training picture, which were left out. */
  readonly copies: number
  /** Validation pictures that also occur in training, pixel for pixel, which were left out. */
  readonly leaked: number
}

export async function packFaces(faces: TrainingFaces, settings: TrainingSettings): Promise<PackedFaces> {
  const packed = new Map<Selection['split'], Packed>()
  const pack = async (selection: Selection, name: SplitName) => {
    const { split } = selection
    const known = packed.get(split)
    if (known) return known
    const pictures = await packPictures(split, {
      imageSize: settings.imageSize,
      color: faces.color,
      augmented: name === 'train',
      signal: settings.signal,
      onProgress: (done, total) => settings.onPack?.({ split: name, done, total }),
    })
    packed.set(split, pictures)
    return pictures
  }
  // Before pictures are decoded, which may take minutes: it refuses targets that are none.
  const withTargets = faces.training.map((set) => ({
    ...set,
    targets: targetsOf(set.split, set.labels, faces.classes),
  }))
  const training = await openAll(withTargets, (selection) => pack(selection, 'train'))
  const validation = await openAll(faces.validation, (selection) => pack(selection, 'validation'))
  return shared(training, validation, settings.duplicates === 'remove')
}

type Opened = Selection & { readonly pictures: Packed }
type OpenedToTrain = Opened & { readonly targets: Tensor<'float32'> }

/** One after the other: each uses all threads that decode. */
async function openAll<S extends Selection>(
  selections: readonly S[],
  open: (selection: S) => Promise<Packed>,
): Promise<readonly (S & { readonly pictures: Packed })[]> {
  const opened: (S & { readonly pictures: Packed })[] = []
  for (const selection of selections) opened.push({ ...selection, pictures: await open(selection) })
  return opened
}

async function shared(
  training: readonly OpenedToTrain[],
  validation: readonly Opened[],
  distinct: boolean,
): Promise<PackedFaces> {
  const keeping = distinct
    ? await distinctIndices(training, validation)
    : { training: indicesOf(training), validation: indicesOf(validation) }
  const shares = await Promise.all(
    training.map(async ({ pictures, labels, targets, weight }, i) => ({
      images: await pictures.imageSet(labels, targets),
      indices: keeping.training[i]!,
      weight,
    })),
  )
  const measured = await Promise.all(
    validation.map(async ({ pictures, labels, split }, i) => {
      const indices = keeping.validation[i]!
      return {
        images: await pictures.imageSet(labels),
        indices,
        labels: Int32Array.from(indices, (index) => labels[index]!),
        names: indices.map((index) => split.samples[index]!.name),
      }
    }),
  )
  const counts = {
    training: total(keeping.training),
    validation: total(keeping.validation),
    copies: countOf(training) - total(keeping.training),
    leaked: countOf(validation) - total(keeping.validation),
  }
  if (counts.validation === 0) throw allLeaked(counts)
  return { training: shares, validation: measured, counts }
}

async function distinctIndices(training: readonly OpenedToTrain[], validation: readonly Opened[]) {
  const digested = <T extends Opened>(sets: readonly T[]) =>
    Promise.all(sets.map(async (set) => ({ ...set, digests: await set.pictures.digests() })))
  const [trained, validated] = [await digested(training), await digested(validation)]
  return {
    training: withoutCopies(trained),
    validation: withoutOccurring(validated, trained),
  }
}

const allLeaked = ({ leaked }: FaceCounts): FerError =>
  new FerError(
    'ERR_DATASET_EMPTY',
    `Every validation face, ${leaked} in all, is also trained on, pixel for pixel. Validate on others, or keep copies with \`duplicates: 'keep'\` (on the command line \`--duplicates keep\`)`,
  )

const indicesOf = (sets: readonly Opened[]) => sets.map(({ indices }) => indices)
const total = (lists: readonly (readonly number[])[]) => lists.reduce((sum, { length }) => sum + length, 0)
