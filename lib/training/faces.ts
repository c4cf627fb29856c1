import type { Color } from '../catalog.js'
import type { Dataset, Split, SplitName } from '../datasets/dataset.js'
import { labelsFor } from '../datasets/labels.js'
import { stratifiedHoldout } from '../datasets/split.js'
import { FerError } from '../errors.js'
import { fail } from '../options/check.js'
import type { TrainingSettings, WeightedData } from '../options/training.js'
import { classesOf, requireEveryClass } from './classes.js'

/** Held out of the training faces where the data bring none to validate on. */
const heldOutFraction = 0.1

/** Some faces of a split. */
export interface Selection {
  readonly split: Split
  readonly indices: readonly number[]
  /** Of the whole split, as indices into the classes of the training data. */
  readonly labels: Int32Array
  /** How often an epoch shows each. */
  readonly weight: number
}

/** The faces to train and to choose on, before any is decoded. */
export interface TrainingFaces {
  readonly classes: readonly string[]
  readonly color: Color
  /** One a data set. */
  readonly training: readonly Selection[]
  readonly validation: readonly Selection[]
  /** Where the validation faces come from, for the record. */
  readonly validatedOn: string
}

export const countOf = (selections: readonly Selection[]): number =>
  selections.reduce((sum, { indices }) => sum + indices.length, 0)

/**
 * Never opens a test split: where there is no validation split, a seeded tenth of each class of the training split is
 * held out.
 */
export async function listFaces(settings: TrainingSettings): Promise<TrainingFaces> {
  const opened: Opened[] = []
  for (const source of settings.data) {
    const split = await source.data.open('train')
    if (split.samples.length === 0) throw noFaces(source.data, 'training')
    opened.push({ ...source, split })
  }
  const classes = classesOf(opened.map(({ split }) => split))
  const color = settings.color ?? (opened.some(({ split }) => split.color === 'rgb') ? 'rgb' : 'grey')
  const training = opened.map(({ split, weight }) => whole(split, classes, weight))
  requireEveryClass(training, classes)
  if (settings.sampler === 'shuffle') training.forEach(requireShown)
  const sources = await validationSources(settings)
  if (sources.length === 0) return { classes, color, ...holdOut(opened, training, settings) }
  const validation: Selection[] = []
  for (const source of sources) validation.push(whole(await openToValidate(source, opened), classes, 1))
  const validatedOn = sources.map(({ name }) => `${name}, validation split`).join('; ')
  return { classes, color, training, validation, validatedOn }
}

/** An epoch that showed no picture of a set would leave it out without a word. */
function requireShown({ weight, indices }: Selection, set: number): void {
  const shown = Math.round(weight * indices.length)
  if (shown === 0)
    fail(`data[${set}].weight`, `enough to show one of its ${indices.length} pictures an epoch`, weight)
}

interface Opened extends WeightedData {
  readonly split: Split
}

const whole = (split: Split, classes: readonly string[], weight: number): Selection => {
  const labels = labelsFor(classes, split)
  return { split, labels, weight, indices: [...labels.keys()] }
}

/** What to validate on: the data set given for it, or those of the training data that have such a split. */
async function validationSources({ data, validation }: TrainingSettings): Promise<readonly Dataset[]> {
  if (validation) return [validation]
  const having = await Promise.all(
    data.map(async (source) => (await source.data.splits()).includes('validation' satisfies SplitName)),
  )
  return [...new Set(data.filter((_, index) => having[index]).map((source) => source.data))]
}

async function openToValidate(source: Dataset, opened: readonly Opened[]): Promise<Split> {
  const split = await source.open('validation')
  if (split.samples.length === 0) throw noFaces(source, 'validation')
  if (opened.some((training) => training.split.fingerprint === split.fingerprint)) throw sameFaces(source)
  return split
}

function holdOut(opened: readonly Opened[], whole: readonly Selection[], { seed }: TrainingSettings) {
  const parts = whole.map(({ labels }) => stratifiedHoldout(labels, heldOutFraction, seed))
  if (parts.every(({ heldOut }) => heldOut.length === 0)) {
    throw new FerError(
      'ERR_DATASET_EMPTY',
      `\`${opened[0]!.data.name}\` has too few training faces to hold some out for validation. Add faces, two a class at least, or give a \`validation\` data set`,
    )
  }
  return {
    training: whole.map((selection, i) => ({ ...selection, indices: [...parts[i]!.training] })),
    validation: whole.map((selection, i) => ({ ...selection, indices: [...parts[i]!.heldOut] })),
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
