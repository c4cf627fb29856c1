import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset, Split, SplitName } from './datasets/dataset.js'
import { type Evaluation, evaluateWith, requireModel } from './evaluate.js'
import { cacheFolder } from './images/cache.js'
import { type Degradation, degradations, type PictureKind } from './images/degradations.js'
import { degraded, observed, someOf } from './images/degraded.js'
import type { Interval } from './metrics/index.js'
import { evenlySpaced } from './model/measuring.js'
import { Model } from './model.js'
import { readOptions } from './options/check.js'
import { dataset, type PackProgress } from './options/faces.js'
import { type RobustnessOptions, type RobustnessSettings, robustnessShape } from './options/robustness.js'

/** The accuracy on faces that were made worse in one way, to one degree. */
export interface DegradedAccuracy {
  /** `resolution`, `blur`, `noise`, `jpeg`, `occlusion`, `brightness`, `saturation` or `tint`. */
  readonly kind: string
  readonly level: number | string
  /** What the level is in; empty where it has no unit. */
  readonly unit: string
  /** How many of the faces it changes: a face of 100 pixels is not shrunk to 128. */
  readonly changed: number
  readonly accuracy: number
  /** 95 %. */
  readonly interval: Interval
  /** The clean accuracy less this one, as a fraction of all faces. */
  readonly drop: number
}

export interface Robustness {
  readonly data: string
  readonly split: SplitName | 'all'
  /** How many were degraded. */
  readonly faces: number
  readonly seed: number
  readonly affinity: string
  readonly precision: string
  /** Present where each answer is the mean of a picture and its mirror image, because `flip` was asked for. */
  readonly flip?: true
  /** Of the same faces as they are. */
  readonly clean: { readonly accuracy: number; readonly interval: Interval }
  /** Kind by kind, amounts from the mildest on and factors from the least on; without those that change no face. */
  readonly degradations: readonly DegradedAccuracy[]
}

/**
 * How a model fares on worse pictures of the same faces: fewer pixels, blur, noise, JPEG, a block in the way, other
 * light, other colours. Each decoded picture is degraded before it is resized for the model. Noise, whose deviation
 * counts levels of 0 to 255, and JPEG act on the picture's own pixels, so that they harm a face of many pixels less.
 * Resolutions that no face exceeds, blur below what a face's pixels can show, and colours of grey faces are left out.
 */
export async function robustness(
  model: Model,
  data: Dataset,
  options: RobustnessOptions = {},
): Promise<Robustness> {
  requireModel(model)
  dataset(data, 'data')
  const settings = readOptions(options, robustnessShape)
  settings.signal?.throwIfAborted()
  // A handle of its own, so that the model may be disposed of meanwhile.
  await using own = new Model(model.info, Model.borrow(model))
  const trial = { model: own, settings, data, split: await chosenFaces(data, settings) }
  const { clean, kinds } = await measureClean(trial)
  const { split, samples, affinity, precision, flip, accuracy, intervals } = clean
  return {
    data: data.name,
    split,
    faces: samples,
    seed: settings.seed,
    affinity,
    precision,
    ...(flip ? { flip } : {}),
    clean: { accuracy, interval: intervals.accuracy },
    degradations: await measureDegraded(trial, kinds, accuracy),
  }
}

interface Trial {
  readonly model: Model
  readonly settings: RobustnessSettings
  readonly data: Dataset
  readonly split: Split
}

async function chosenFaces(data: Dataset, { split, limit }: RobustnessSettings): Promise<Split> {
  const whole = await data.open(split)
  return someOf(whole, evenlySpaced(whole.samples.length, limit))
}

/** What the faces are like is known once they have been read. */
async function measureClean(trial: Trial): Promise<{ clean: Evaluation; kinds: PictureKind[] }> {
  const kinds: PictureKind[] = []
  const clean = await measureRound(
    trial,
    0,
    observed(trial.split, (index, { width, height, channels }) => {
      kinds[index] = { width, height, channels }
    }),
  )
  return { clean, kinds }
}

async function measureDegraded(
  trial: Trial,
  kinds: readonly PictureKind[],
  clean: number,
): Promise<DegradedAccuracy[]> {
  const rows: DegradedAccuracy[] = []
  for (const [index, degradation] of degradations.entries()) {
    const changed = kinds.filter(degradation.changes).length
    if (changed === 0) continue
    const faces = degraded(trial.split, degradation, trial.settings.seed)
    rows.push(rowOf(degradation, changed, clean, await measureRound(trial, index + 1, faces)))
  }
  progressOf(trial, rounds)(0)
  return rows
}

const rowOf = (
  { kind, level, unit }: Degradation,
  changed: number,
  clean: number,
  { accuracy, intervals }: Evaluation,
): DegradedAccuracy => ({
  kind,
  level,
  unit,
  changed,
  accuracy,
  interval: intervals.accuracy,
  drop: clean - accuracy,
})

/** The faces as they are, then each degradation. */
const rounds = 1 + degradations.length

/** Tells how far a round has come, which those before it, left out or not, precede. */
const progressOf =
  ({ settings, split }: Trial, round: number) =>
  (done: number): void => {
    const each = 2 * split.samples.length
    settings.onProgress?.(round * each + done, rounds * each)
  }

/** In a folder of its own: nobody will ask for these pictures again. */
async function measureRound(trial: Trial, round: number, faces: Split): Promise<Evaluation> {
  const { model, data, settings } = trial
  const folder = join(cacheFolder(), `robustness-${randomUUID()}`)
  const tell = progressOf(trial, round)
  try {
    const onPack = ({ done }: PackProgress) => tell(done)
    const onProgress = (done: number) => tell(faces.samples.length + done)
    const source = { name: data.name, splits: () => data.splits(), open: async () => faces }
    return await evaluateWith(model, source, { ...settings, folder, onPack, onProgress })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
