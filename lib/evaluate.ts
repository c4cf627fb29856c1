import type { Dataset, Split, SplitName } from './datasets/dataset.js'
import { splitNames } from './datasets/dataset.js'
import { FerError } from './errors.js'
import { pack } from './images/pack.js'
import { type Metrics, measure } from './metrics/index.js'
import { inferenceFor, Model } from './model.js'
import { cancellable } from './native.js'
import { callback, oneOf, optional, readOptions } from './options/check.js'
import { type InferenceOptions, inferenceShape } from './options/inference.js'
import type { PackProgress } from './options/training.js'

export interface EvaluateOptions extends InferenceOptions {
  /** Which faces of the data; `test` by default. A flat data set answers any. */
  split?: SplitName
  /** Hears how many faces have been answered. */
  onProgress?: (done: number, total: number) => void
  /** Hears how far the pictures have been decoded, the first time they are. */
  onPack?: (progress: PackProgress) => void
}

export interface Evaluation extends Metrics {
  readonly split: SplitName
  readonly affinity: string
  readonly precision: string
  readonly batchSize: number
  /** Answered in a second, decoding not counted. */
  readonly imagesPerSecond: number
}

/** Measures a model on labelled faces. All rates are fractions from 0 to 1. */
export async function evaluate(
  model: Model,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const settings = readOptions(options, {
    ...inferenceShape,
    split: optional(oneOf(splitNames), 'test'),
    onProgress: optional(callback<(done: number, total: number) => void>(), undefined),
    onPack: optional(callback<(progress: PackProgress) => void>(), undefined),
  })
  const { info } = model
  const inference = inferenceFor(info, settings)
  const network = Model.network(model)
  const split = await data.open(settings.split)
  const labels = labelsFor(info.classes, split)
  const images = await pack(split, {
    imageSize: info.imageSize,
    color: info.color,
    augmented: false,
    signal: settings.signal,
    onProgress: (done, total) => settings.onPack?.({ split: settings.split, done, total }),
  })
  const started = performance.now()
  const logits = await cancellable(settings.signal, (cancellation) =>
    network.evaluate(images, [...labels.keys()], inference, cancellation, (done) =>
      settings.onProgress?.(done, labels.length),
    ),
  )
  const seconds = (performance.now() - started) / 1000
  const metrics = measure(logits.data, labels, info.classes)
  const { split: name } = settings
  return { ...metrics, split: name, ...inference, imagesPerSecond: labels.length / seconds }
}

/** The labels of a split as indices into the model's classes. ERR_CLASS_MISMATCH where the model lacks one. */
export function labelsFor(classes: readonly string[], split: Split): Int32Array {
  const places = split.classes.map((name) => classes.indexOf(name))
  return Int32Array.from(split.samples, ({ label }) => {
    const place = places[label]!
    if (place >= 0) return place
    throw new FerError(
      'ERR_CLASS_MISMATCH',
      `The data have the class ${split.classes[label]}, which the model does not know; it knows ${classes.join(', ')}. Leave those pictures out, or use a model with that class`,
    )
  })
}
