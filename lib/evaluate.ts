import { cancellable } from './calls.js'
import { type Dataset, type SplitName, splitRead } from './datasets/dataset.js'
import { labelsFor } from './datasets/labels.js'
import { pack } from './images/pack.js'
import { type Metrics, measure } from './metrics/index.js'
import { inferenceFor } from './model/inference.js'
import { Model } from './model.js'
import { fail, readOptions } from './options/check.js'
import { dataset, type FacesOptions, facesShape } from './options/faces.js'
import { type InferenceOptions, inferenceShape } from './options/inference.js'

/** `split` is `test` by default. */
export interface EvaluateOptions extends InferenceOptions, FacesOptions {}

export interface Evaluation extends Metrics {
  /** `all` for a flat data set, which has no splits: it may hold faces that trained the model. */
  readonly split: SplitName | 'all'
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
  if (!Model.is(model)) fail('model', 'a Model (from `train` or `Model.load`)', model)
  dataset(data, 'data')
  const settings = readOptions(options, { ...inferenceShape, ...facesShape('test') })
  const { info } = model
  const inference = inferenceFor(info, settings)
  const network = Model.borrow(model)
  try {
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
    const logits = await cancellable(settings.signal, (cancellation, listening) => {
      const onProgress = listening((done: number) => settings.onProgress?.(done, labels.length))
      return network.evaluate(images, [...labels.keys()], inference, cancellation, onProgress)
    })
    const seconds = (performance.now() - started) / 1000
    const name = await splitRead(data, settings.split)
    const metrics = measure(logits.data, labels, info.classes)
    const { affinity, precision, batchSize } = inference
    return {
      ...metrics,
      split: name,
      affinity,
      precision,
      batchSize,
      imagesPerSecond: labels.length / seconds,
    }
  } finally {
    network.dispose()
  }
}
