import type { Color } from '../catalog.js'
import {
  type AffinityName,
  affinities,
  type BackboneName,
  backbones,
  colors,
  type HeadName,
  heads,
  type OptimizerName,
  optimizers,
  type ScheduleName,
  type StemName,
  schedules,
  stems,
  type TrainingPrecisionName,
  trainingPrecisions,
} from '../catalog.js'
import type { Dataset } from '../datasets/dataset.js'
import { type AugmentationOptions, readAugmentation } from './augmentation.js'
import {
  boolean,
  callback,
  fail,
  integer,
  number,
  oneOf,
  optional,
  readOptions,
  signal,
  text,
} from './check.js'
import { dataset, type PackProgress } from './faces.js'
import { type RecipeName, recipes, withRecipe } from './recipes.js'

export interface TrainOptions {
  /** Its train split is trained on. Its test split is never opened. */
  data: Dataset
  /** Chosen on instead of the data's own validation split: its validation split, or all of a flat set. */
  validation?: Dataset
  /** Folder for the model and the log; made if missing, refused if it holds a run, unless that is resumed. */
  output: string
  /**
   * Goes on with the run that `output` holds, from its last checkpoint, to the very weights an unbroken run ends with;
   * from the beginning where there is none. The options must be those it began with; `epochs` may grow.
   */
  resume?: boolean
  /** Writes a checkpoint so often, beside the one after each epoch; 5. */
  checkpointMinutes?: number
  /** Options of a published recipe, for those not given beside it. */
  recipe?: RecipeName
  /** 20. */
  epochs?: number
  /** 64. */
  batchSize?: number
  /**
   * A batch is computed in so many parts, one after the other, whose gradients add up: it takes less memory. Batch norms
   * and ARM's generic part then see one part at a time; 1.
   */
  accumulate?: number
  /** Of weights, order and augmentation; 0. */
  seed?: number
  /** `auto` (the default): bfloat16 where the processor multiplies it in hardware, else float32. */
  precision?: TrainingPrecisionName
  backbone?: BackboneName
  /** `arm` (the default), or `gap`: plain pooling. */
  head?: HeadName
  /** By default from the image size: small below 64, medium below 112, else standard. */
  stem?: StemName
  /** Side of the square the network sees, in pixels; 112. */
  imageSize?: number
  /** Colour mode of the model; by default that of the data. */
  color?: Color
  /**
   * Weights to begin with: a model of this package, or a PyTorch checkpoint of a ResNet or of the official ARM code.
   * What does not fit begins fresh, and the `start` event names it.
   */
  pretrained?: string
  /** ARM's generic part: `ema` (the default), `batch` (the same in training), or `none`. */
  affinity?: AffinityName
  /** `adamw` by default. */
  optimizer?: OptimizerName
  /** The largest; 1e-3 for adam and adamw, 0.05 for sgd. */
  learningRate?: number
  /** On every parameter; 1e-4 for adam, 0.05 for adamw, 5e-4 for sgd. */
  weightDecay?: number
  /** Nesterov momentum of sgd; 0.9. */
  momentum?: number
  /** Of adam and adamw; 0.9 and 0.999. */
  beta1?: number
  beta2?: number
  /** `cosine` by default. */
  schedule?: ScheduleName
  /** Factor an epoch of schedule `exponential`; 0.9. */
  decay?: number
  /** Epochs over which the rate rises from zero; by default a twentieth of all, or none with `one-cycle`, which rises by itself. */
  warmupEpochs?: number
  /** Share of each target spread over all classes; 0. */
  labelSmoothing?: number
  /** Gradients are scaled down to this norm; 0, the default, never. */
  clipNorm?: number
  /** `false`: none. */
  augmentation?: AugmentationOptions | false
  /** Aborts between batches, after writing a checkpoint and last.safetensors; the run then rejects with `signal.reason`. */
  signal?: AbortSignal
  /** Hears how far the pictures have been decoded, the first time they are. */
  onPack?: (progress: PackProgress) => void
}

/** Every field filled in, but those that depend on the data. */
export type TrainingSettings = Readonly<ReturnType<typeof readTrainOptions>>

const usual = {
  adam: { learningRate: 1e-3, weightDecay: 1e-4 },
  adamw: { learningRate: 1e-3, weightDecay: 0.05 },
  sgd: { learningRate: 0.05, weightDecay: 5e-4 },
} as const

const stemFor = (imageSize: number): StemName =>
  imageSize < 64 ? 'small' : imageSize < 112 ? 'medium' : 'standard'

export function readTrainOptions(given: unknown) {
  const read = readOptions(withRecipe(given), {
    recipe: optional(oneOf(recipes), undefined),
    data: dataset,
    validation: optional(dataset, undefined),
    output: text,
    resume: optional(boolean, false),
    checkpointMinutes: optional(number(0, 1e6), 5),
    epochs: optional(integer(1, 10000), 20),
    batchSize: optional(integer(1, 65536), 64),
    accumulate: optional(integer(1, 1024), 1),
    seed: optional(integer(0, 2 ** 32 - 1), 0),
    precision: optional(oneOf(trainingPrecisions), 'auto'),
    backbone: optional(oneOf(backbones), 'resnet18'),
    head: optional(oneOf(heads), 'arm'),
    stem: optional(oneOf(stems), undefined),
    imageSize: optional(integer(16, 1024), 112),
    color: optional(oneOf(colors), undefined),
    pretrained: optional(text, undefined),
    affinity: optional(oneOf(affinities), undefined),
    optimizer: optional(oneOf(optimizers), 'adamw'),
    learningRate: optional(number(0, 100), undefined),
    weightDecay: optional(number(0, 1), undefined),
    momentum: optional(number(0, 1), 0.9),
    beta1: optional(number(0, 0.999999), 0.9),
    beta2: optional(number(0, 0.999999), 0.999),
    schedule: optional(oneOf(schedules), 'cosine'),
    decay: optional(number(0, 1), 0.9),
    warmupEpochs: optional(number(0, 10000), undefined),
    labelSmoothing: optional(number(0, 0.9), 0),
    clipNorm: optional(number(0, 1e9), 0),
    augmentation: (value: unknown, name: string) => readAugmentation(value === undefined ? {} : value, name),
    signal: optional(signal, undefined),
    onPack: optional(callback<(progress: PackProgress) => void>(), undefined),
  })
  return {
    ...read,
    stem: read.stem ?? stemFor(read.imageSize),
    affinity: readAffinity(read.head, read.affinity),
    learningRate: read.learningRate ?? usual[read.optimizer].learningRate,
    weightDecay: read.weightDecay ?? usual[read.optimizer].weightDecay,
    warmupGiven: read.warmupEpochs !== undefined,
    // One-cycle has a rise of its own.
    warmupEpochs: read.warmupEpochs ?? (read.schedule === 'one-cycle' ? 0 : read.epochs / 20),
  }
}

/** Plain pooling has no generic part to share. */
function readAffinity(head: HeadName, given: AffinityName | undefined): AffinityName {
  if (head === 'arm') return given ?? 'ema'
  return given === undefined || given === 'none'
    ? 'none'
    : fail('affinity', '`none` with head `gap`, which has no generic part', given)
}
