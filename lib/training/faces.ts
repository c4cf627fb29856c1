import type { Color } from '../catalog.js'
import type { Dataset, Split, SplitName } from '../datasets/dataset.js'
import { labelsFor } from '../datasets/labels.js'
import { stratifiedHoldout } from '../datasets/split.js'
import { FerError } from '../errors.js'
import { pack } from '../images/pack.js'
import type { ImageSet } from '../native.js'
import type { TrainingSettings } from '../options/training.js'

/** Held out of the training faces where the data bring none to validate on. */
const heldOutFraction = 0.1

/** Some faces of a split. */
export interface Selection {
  readonly split: Split
  readonly indices: readonly number[]
  /** Of the whole split, as indices into the classes of the training data. */
  readonly labels: Int32Array
}

/** The faces to train and to choose on, before any is decoded. */
export interface TrainingFaces {
  readonly classes: readonly string[]
  readonly color: Color
  readonly training: Selection
  readonly validation: Selection
  /** Where the validation faces come from, for the record. */
  readonly validatedOn: string
}

/**
 * Never opens a test split: where there is no validation split, a seeded tenth of each class of the training split is
 * held out.
 */
export async function listFaces(settings: TrainingSettings): Promise<TrainingFaces> {
  const split = await settings.data.open('train')
  const { classes } = split
  const color = settings.color ?? split.color
  const labels = labelsFor(classes, split)
  if (labels.length === 0) throw noFaces(settings.data, 'training')
  const source = await validationSource(settings)
  if (!source) return { classes, color, ...holdOut(split, labels, settings) }
  const other = await source.open('validation')
  if (other.samples.length === 0) throw noFaces(source, 'validation')
  if (other.fingerprint === split.fingerprint) throw sameFaces(source)
  const whole = (of: Split, all: Int32Array) => ({ split: of, labels: all, indices: [...all.keys()] })
  const validation = whole(other, labelsFor(classes, other))
  return {
    classes,
    color,
    training: whole(split, labels),
    validation,
    validatedOn: `${source.name}, validation split`,
  }
}

/** What to validate on: the data set given for it, or the training data where they have such a split. */
async function validationSource({ data, validation }: TrainingSettings) {
  if (validation) return validation
  return (await data.splits()).includes('validation' satisfies SplitName) ? data : undefined
}

function holdOut(split: Split, labels: Int32Array, { data, seed }: TrainingSettings) {
  const { training, heldOut } = stratifiedHoldout(labels, heldOutFraction, seed)
  if (heldOut.length === 0) {
    throw new FerError(
      'ERR_DATASET_EMPTY',
      `\`${data.name}\` has too few training faces to hold some out for validation. Add faces, two a class at least, or give a \`validation\` data set`,
    )
  }
  return {
    training: { split, labels, indices: [...training] },
    validation: { split, labels, indices: [...heldOut] },
    validatedOn: 'a held-out tenth of the training faces',
  }
}

const noFaces = ({ name }: Dataset, what: string): FerError =>
  new FerError('ERR_DATASET_EMPTY', `\`${name}\` has no ${what} faces. Add some`)

const sameFaces = ({ name }: Dataset): FerError =>
  new FerError(
    'ERR_INVALID_OPTION',
    `Expected \`validation\` to be other faces than those trained on, got \`${name}\` for both: the accuracy would mean nothing. Leave it out to hold out a tenth`,
  )

/** The decoded pictures of both selections. */
export interface PackedFaces {
  readonly training: ImageSet
  readonly validation: ImageSet
}

export async function packFaces(faces: TrainingFaces, settings: TrainingSettings): Promise<PackedFaces> {
  const packed = (split: Split, name: SplitName, augmented: boolean) =>
    pack(split, {
      imageSize: settings.imageSize,
      color: faces.color,
      augmented,
      signal: settings.signal,
      onProgress: (done, total) => settings.onPack?.({ split: name, done, total }),
    })
  const { training, validation } = faces
  const images = await packed(training.split, 'train', true)
  const shared = validation.split === training.split
  return {
    training: images,
    validation: shared ? images : await packed(validation.split, 'validation', false),
  }
}
