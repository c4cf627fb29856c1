import type { Dataset, SplitName } from './datasets/dataset.js'
import { labelsFor } from './datasets/labels.js'
import { type Metrics, measure } from './metrics/index.js'
import { tempered } from './metrics/temperature.js'
import { inferenceFor } from './model/inference.js'
import type { ModelInfo } from './model/info.js'
import { measureFaces } from './model/measuring.js'
import { Model } from './model.js'
import type { Network, OverFaces } from './native.js'
import { fail, optional, readOptions, type Shape } from './options/check.js'
import { dataset, type FacesOptions, type FacesSettings, facesShape } from './options/faces.js'
import { type InferenceOptions, type InferenceSettings, inferenceShape } from './options/inference.js'

/** `split` is `test` by default. */
export interface EvaluateOptions extends InferenceOptions, FacesOptions {
  /** Leaves out faces that occur, pixel for pixel, among the training faces of this data set. */
  excluding?: Dataset
}

/** `nll` and `ece` are of the logits divided by the model's temperature, as `predict` answers. */
export interface Evaluation extends Metrics {
  /** `all` for a flat data set, which has no splits: it may hold faces that trained the model. */
  readonly split: SplitName | 'all'
  readonly affinity: string
  readonly precision: string
  /** `cpu` or `cuda:N`. */
  readonly device: string
  readonly batchSize: number
  /** Present where each answer is the mean of a picture and its mirror image, because `flip` was asked for. */
  readonly flip?: true
  /** Faces left out because they occur among those of `excluding`; absent where that was not given. */
  readonly excluded?: number
  /** The model's; 1 where it has none. */
  readonly temperature: number
  /** Answered in a second, decoding not counted. */
  readonly imagesPerSecond: number
}

/** Measures a model on labelled faces. All rates are fractions from 0 to 1. */
export async function evaluate(
  model: Model,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  requireModel(model)
  dataset(data, 'data')
  return evaluateWith(model, data, readOptions(options, evaluateShape))
}

export function requireModel(model: unknown): void {
  if (!Model.is(model)) fail('model', 'a Model (from `train` or `Model.load`)', model)
}

const evaluateShape: Shape<Omit<EvaluateSettings, 'folder'>> = {
  ...inferenceShape,
  ...facesShape('test'),
  excluding: optional(dataset, undefined),
}

interface EvaluateSettings extends InferenceSettings, FacesSettings {
  /** Where the pictures are packed; the cache where it is left out. */
  readonly folder?: string
  readonly excluding?: Dataset | undefined
}

/** The same with settings that were read; for the package's own verbs. */
export async function evaluateWith(
  model: Model,
  data: Dataset,
  settings: EvaluateSettings,
): Promise<Evaluation> {
  const { info } = model
  const inference = inferenceFor(info, settings)
  const network = Model.borrow(model)
  try {
    const measuring = { ...settings, inference, most: Number.POSITIVE_INFINITY }
    const { result, measured, excluded } = await measureFaces(info, data, measuring, (split) =>
      answering(network, info, labelsFor(info.classes, split)),
    )
    const { affinity, precision, device, batchSize, flip } = inference
    return {
      ...result,
      split: measured.split,
      affinity,
      precision,
      device,
      batchSize,
      ...(flip ? { flip } : {}),
      ...(settings.excluding ? { excluded } : {}),
    }
  } finally {
    network.dispose()
  }
}

type Answered = Metrics & Pick<Evaluation, 'temperature' | 'imagesPerSecond'>

const answering =
  (network: Network, { classes, temperature = 1 }: ModelInfo, labels: Int32Array): OverFaces<Answered> =>
  async (images, indices, ...rest) => {
    const started = performance.now()
    const logits = await network.evaluate(images, indices, ...rest)
    const seconds = (performance.now() - started) / 1000
    const truths = Int32Array.from(indices, (index) => labels[index]!)
    const metrics = measure(tempered(logits.data, temperature), truths, classes)
    return { ...metrics, temperature, imagesPerSecond: truths.length / seconds }
  }
