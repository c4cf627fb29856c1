import type { Color, Split, SplitName } from '../datasets/dataset.js'
import { stratifiedHoldout } from '../datasets/split.js'
import { FerError } from '../errors.js'
import { labelsFor } from '../evaluate.js'
import { type Pack, pack } from '../images/pack.js'
import type { TrainingSettings } from '../options/training.js'

/** Held out of the training faces where the data bring none to validate on. */
const heldOut = 0.1

export interface Faces extends Pack {
  /** Which of the pack's pictures take part. */
  readonly indices: readonly number[]
}

export interface TrainingFaces {
  readonly classes: readonly string[]
  readonly color: Color
  readonly training: Faces
  readonly validation: Faces
  /** Where the validation faces come from, for the record. */
  readonly validatedOn: string
}

/** The faces listed, before any is decoded. */
interface Listed {
  readonly training: Split
  readonly validation: Split | undefined
  readonly validatedOn: string
}

/**
 * Opens and packs the faces to train and to choose on. Never the test split: where there is no validation split, a
 * seeded tenth of each class of the training split is held out.
 */
export async function openFaces(settings: TrainingSettings): Promise<TrainingFaces> {
  const { training, validation, validatedOn } = await listFaces(settings)
  const color = settings.color ?? training.color
  const packed = (split: Split, name: string, augmented: boolean) =>
    pack(split, {
      imageSize: settings.imageSize,
      color,
      augmented,
      signal: settings.signal,
      onProgress: (done, total) => settings.onPack?.({ split: name, done, total }),
    })
  const { classes } = training
  if (validation) {
    const labels = labelsFor(classes, validation)
    const faces = { ...(await packed(validation, 'validation', false)), labels }
    const all = { ...(await packed(training, 'train', true)), indices: range(training.samples.length) }
    return {
      classes,
      color,
      training: all,
      validation: { ...faces, indices: range(labels.length) },
      validatedOn,
    }
  }
  const all = await packed(training, 'train', true)
  const holdout = stratifiedHoldout(all.labels, heldOut, settings.seed)
  if (holdout.heldOut.length === 0) throw tooFew(settings)
  return {
    classes,
    color,
    training: { ...all, indices: [...holdout.training] },
    validation: { ...all, indices: [...holdout.heldOut] },
    validatedOn,
  }
}

async function listFaces({ data, validation }: TrainingSettings): Promise<Listed> {
  const training = await data.open('train')
  const source = validation ?? data
  const isFlat = (await source.splits()).length === 0
  const has = async (name: SplitName) => (await source.splits()).includes(name)
  if (validation ? isFlat || (await has('validation')) : await has('validation')) {
    return { training, validation: await source.open('validation'), validatedOn: `${source.name} validation` }
  }
  if (validation) await source.open('validation') // rejects, listing the splits there are
  return { training, validation: undefined, validatedOn: 'a held-out tenth of the training faces' }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

const tooFew = ({ data }: TrainingSettings): FerError =>
  new FerError(
    'ERR_DATASET_EMPTY',
    `\`${data.name}\` has too few training faces to hold some out for validation. Add faces (two a class at least), or give a \`validation\` data set`,
  )
