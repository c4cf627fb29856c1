import type { Color } from '../catalog.js'
import {
  type AffinityName,
  affinities,
  type BackboneName,
  backbones,
  colors,
  type DeviceName,
  type HeadName,
  heads,
  type OptimizerName,
  optimizers,
  type SamplerName,
  type ScheduleName,
  type StemName,
  samplers,
  schedules,
  stems,
  type TrainingPrecisionName,
  trainingPrecisions,
} from '../catalog.js'
import type { Dataset } from '../datasets/dataset.js'
import { type AugmentationOptions, readAugmentation } from './augmentation.js'
import {
  boolean,
  type Check,
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
import { device } from './device.js'
import { dataset, type PackProgress } from './faces.js'
import { type RecipeName, recipes, withRecipe } from './recipes.js'

export interface TrainOptions {
  /**
   * Its train split is trained on. Its test split is never opened. Of several, all are: their classes are those of all
   * together, and an epoch shows the pictures of each as often as its `weight`, 1 unless given, says.
   */
  data: Dataset | readonly (Dataset | { data: Dataset; weight?: number })[]
  /** Chosen on instead of the data's own validation split: its validation split, or all of a flat set. */
  validation?: Dataset
  /**
   * Exact copies of a picture: `remove` (the default) leaves one of each in training, with the mean of their targets,
   * and none in validation of those trained on. `keep` leaves all.
   */
  duplicates?: (typeof duplicatePolicies)[number]
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
  /** Ends the run where so many epochs in a row bring no better model; 0, the default, never. */
  patience?: number
  /**
   * Begins no epoch that, at the pace so far, would not end within so many minutes from the call; the first it always
   * begins. The run can be resumed. 0, the default, is no limit.
   */
  maxMinutes?: number
  /** 64. */
  batchSize?: number
  /**
   * A batch is computed in so many parts, one after the other, whose gradients add up: it takes less memory. Batch norms
   * and ARM's generic part then see one part at a time; 1.
   */
  accumulate?: number
  /** Of weights, order and augmentation; 0. */
  seed?: number
  /** `auto` (the default): bfloat16 where the device multiplies it in hardware, else float32. */
  precision?: TrainingPrecisionName
  /** Where to compute; `auto` by default: an NVIDIA GPU where the addon is built for it and there is one, else the processor. */
  device?: DeviceName
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
  /**
   * Keeps a running average of the weights, of which each step leaves so much, less in the first steps; 0, the default,
   * keeps none. Each epoch it is measured beside the weights, and saved as the model where it is better.
   */
  averaging?: number
  /** Radius of sharpness-aware minimisation (arXiv 2010.01412), which doubles the cost of a step; 0, off. */
  sharpness?: number
  /**
   * `shuffle` (the default) shows every picture once an epoch. `mrr`, minimal random resampling as published with ARM,
   * shows `classLimit` of each class; `weighted` draws as many as there are, each class as often.
   */
  sampler?: SamplerName
  /** Pictures a class and epoch with sampler `mrr`; by default as many as the smallest class has. */
  classLimit?: number
  /** Alpha of mixup (arXiv 1710.09412), at most 1; 0, off. */
  mixup?: number
  /** Alpha of CutMix (arXiv 1905.04899), at most 1; 0, off. With mixup too, each batch draws one of the two. */
  cutmix?: number
  /** `cosine` by default. */
  schedule?: ScheduleName
  /** Factor an epoch of schedule `exponential`; 0.9. */
  decay?: number
  /** Epochs over which the rate rises from zero; by default a twentieth of all, or none with `one-cycle`, which rises by itself. */
  warmupEpochs?: number
  /** Share of each target spread over all classes; 0. */
  labelSmoothing?: number
  /** Focal loss (arXiv 1708.02002): terms that are answered well count less by this power; 0, cross-entropy. */
  focalGamma?: number
  /**
   * Class-balanced loss (arXiv 1901.05555): a class of n pictures weighs 1 / (1 - beta^n), scaled to 1 in the mean; 0,
   * all alike; the paper takes 0.9 to 0.9999.
   */
  classBalance?: number
  /** Probability of dropping each feature before the classifier; 0. */
  dropout?: number
  /** Probability of leaving out the last residual branch of a picture, earlier ones in proportion (arXiv 1603.09382); 0. */
  stochasticDepth?: number
  /** For pretrained weights: this part of the backbone and those before it stay as they are; `none` by default. */
  freeze?: (typeof frozenParts)[number]
  /** Factor of the learning rate from each part of the network to the one before it, for pretrained weights; 1. */
  layerDecay?: number
  /** Gradients are scaled down to this norm; 0, the default, never. */
  clipNorm?: number
  /** `false`: none. */
  augmentation?: AugmentationOptions | false
  /** Aborts between batches, after writing a checkpoint and last.safetensors; the run then rejects with `signal.reason`. */
  signal?: AbortSignal
  /** Hears how far the pictures have been decoded, the first time they are. */
  onPack?: (progress: PackProgress) => void
}

/** From the picture on. */
export const frozenParts = ['none', 'stem', 'stage1', 'stage2', 'stage3', 'stage4'] as const

export const duplicatePolicies = ['remove', 'keep'] as const

/** Every field filled in, but those that depend on the data. */
export type TrainingSettings = Readonly<ReturnType<typeof readTrainOptions>>

const usual = {
  adam: { learningRate: 1e-3, weightDecay: 1e-4 },
  adamw: { learningRate: 1e-3, weightDecay: 0.05 },
  sgd: { learningRate: 0.05, weightDecay: 5e-4 },
} as const

const stemFor = (imageSize: number): StemName =>
  imageSize < 64 ? 'small' : imageSize < 112 ? 'medium' : 'standard'

export interface WeightedData {
  readonly data: Dataset
  readonly weight: number
}

/** One data set or several. */
const dataList: Check<readonly WeightedData[]> = (value, name) => {
  if (!Array.isArray(value)) return [{ data: dataset(value, name), weight: 1 }]
  if (value.length === 0) fail(name, 'at least one data set', value)
  return Array.from(value as unknown[], (item, i) => {
    const field = `${name}[${i}]`
    if (typeof Object(item).open === 'function') return { data: dataset(item, field), weight: 1 }
    return readOptions<WeightedData>(
      item,
      { data: dataset, weight: optional(number(0.001, 1000), 1) },
      field,
      `${field}.`,
    )
  })
}

export function readTrainOptions(given: unknown) {
  const read = readOptions(withRecipe(given), {
    recipe: optional(oneOf(recipes), undefined),
    data: dataList,
    duplicates: optional(oneOf(duplicatePolicies), 'remove'),
    validation: optional(dataset, undefined),
    output: text,
    resume: optional(boolean, false),
    checkpointMinutes: optional(number(0, 1e6), 5),
    epochs: optional(integer(1, 10000), 20),
    patience: optional(integer(0, 10000), 0),
    maxMinutes: optional(number(0, 1e6), 0),
    batchSize: optional(integer(1, 65536), 64),
    accumulate: optional(integer(1, 1024), 1),
    seed: optional(integer(0, 2 ** 32 - 1), 0),
    precision: optional(oneOf(trainingPrecisions), 'auto'),
    device: optional(device, 'auto'),
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
    averaging: optional(number(0, 0.999999), 0),
    sharpness: optional(number(0, 10), 0),
    sampler: optional(oneOf(samplers), 'shuffle'),
    classLimit: optional(integer(0, 1e9), 0),
    mixup: optional(number(0, 1), 0),
    cutmix: optional(number(0, 1), 0),
    schedule: optional(oneOf(schedules), 'cosine'),
    decay: optional(number(0, 1), 0.9),
    warmupEpochs: optional(number(0, 10000), undefined),
    labelSmoothing: optional(number(0, 0.9), 0),
    focalGamma: optional(number(0, 10), 0),
    classBalance: optional(number(0, 0.999999), 0),
    dropout: optional(number(0, 0.99), 0),
    stochasticDepth: optional(number(0, 0.99), 0),
    freeze: optional(oneOf(frozenParts), 'none'),
    layerDecay: optional(number(0.01, 1), 1),
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
