import pMap from 'p-map'
import { FerError } from './errors.js'
import {
  type BoxedImage,
  type Image,
  type Input,
  isTensor,
  type PendingImage,
  pendingImages,
} from './images/inputs.js'
import { softmax } from './metrics/index.js'
import { inferenceFor, Model } from './model.js'
import { type Box, cancellable, type NativeInput } from './native.js'
import { boolean, type Check, oneOf, optional, readOptions } from './options/check.js'
import { type InferenceOptions, inferenceShape } from './options/inference.js'
import type { Tensor } from './tensor.js'

export interface PredictOptions extends InferenceOptions {
  /** A model, or the path of one, which is then loaded for this call. */
  model: Model | string
  /** The face, in pixels of the upright picture; for every picture that has no box of its own. */
  box?: Box
  /** Whether to give the logits too. */
  logits?: boolean
  /** What one unreadable picture among several does: reject the call, or stand in the result as its error. */
  onError?: 'reject' | 'return'
}

/** What the model sees in one face. */
export interface Prediction {
  readonly label: string
  /** The label's probability. */
  readonly confidence: number
  /** By class, in the model's order; they add up to 1. */
  readonly probabilities: Readonly<Record<string, number>>
  /** In the model's order, where asked for. */
  readonly logits?: readonly number[]
}

/** Pictures decoded at once: sharp works in libuv's four threads. */
const concurrency = 4

/**
 * The expression of each face, in the order given. Decodes, resizes and computes off the event loop, in batches.
 * ERR_BAD_IMAGE and ERR_BAD_BOX name the picture; among several, they give its index.
 */
export function predict(input: Image | BoxedImage, options: PredictOptions): Promise<Prediction>
export function predict(
  input: readonly (Image | BoxedImage)[] | Tensor<'uint8'>,
  options: PredictOptions & { onError: 'return' },
): Promise<(Prediction | FerError)[]>
export function predict(
  input: readonly (Image | BoxedImage)[] | Tensor<'uint8'>,
  options: PredictOptions,
): Promise<Prediction[]>
export async function predict(input: Input, options: PredictOptions): Promise<unknown> {
  const settings = readOptions(options, shape)
  const several = Array.isArray(input) || isTensor(input)
  const images = pendingImages(input, settings.box)
  const model = typeof settings.model === 'string' ? await Model.load(settings.model) : settings.model
  try {
    const results = await predictAll(images, model, { ...settings, several })
    return several ? results : results[0]
  } finally {
    if (model !== settings.model) model.dispose()
  }
}

const model: Check<Model | string> = (value, name) => {
  if (value instanceof Model || (typeof value === 'string' && value !== '')) return value
  throw new FerError(
    'ERR_INVALID_OPTION',
    `Expected \`${name}\` to be a Model or the path of one: train a model first, or load one with Model.load`,
  )
}

const shape = {
  ...inferenceShape,
  model,
  box: optional((value: unknown) => value as Box, undefined),
  logits: optional(boolean, false),
  onError: optional(oneOf(['reject', 'return']), 'reject'),
}

type Settings = ReturnType<
  typeof readOptions<{ [K in keyof typeof shape]: ReturnType<(typeof shape)[K]> }>
> & {
  readonly several: boolean
}

/** While one batch is computed, the next is decoded. */
async function predictAll(
  images: readonly PendingImage[],
  model: Model,
  settings: Settings,
): Promise<(Prediction | FerError)[]> {
  const starts = Array.from(
    { length: Math.ceil(images.length / settings.batchSize) },
    (_, i) => i * settings.batchSize,
  )
  const read = (start: number) => readBatch(images.slice(start, start + settings.batchSize), start, settings)
  const results: (Prediction | FerError)[] = []
  let next = starts.length > 0 ? read(0) : undefined
  for (const start of starts) {
    const batch = await next!
    const following = start + settings.batchSize
    next = following < images.length ? read(following) : undefined
    // Awaited a turn later: meanwhile its failure must not count as unhandled.
    next?.catch(() => {})
    results.push(...(await predictBatch(batch, model, settings)))
  }
  return results
}

function readBatch(
  images: readonly PendingImage[],
  first: number,
  settings: Settings,
): Promise<(NativeInput | FerError)[]> {
  settings.signal?.throwIfAborted()
  const read = async (image: PendingImage, index: number) => {
    try {
      return await image.read()
    } catch (error) {
      if (!(error instanceof FerError)) throw error
      if (settings.onError === 'return') return error
      throw settings.several
        ? new FerError(error.code, `Picture ${first + index}: ${error.message}`, { cause: error })
        : error
    }
  }
  return pMap(images, read, { concurrency })
}

async function predictBatch(
  batch: readonly (NativeInput | FerError)[],
  model: Model,
  settings: Settings,
): Promise<(Prediction | FerError)[]> {
  const readable = batch.filter((item): item is NativeInput => !(item instanceof FerError))
  const logits = await cancellable(settings.signal, (cancellation) =>
    Model.network(model).infer(readable, inferenceFor(model.info, settings), 'logits', cancellation),
  )
  const { classes } = model.info
  let row = 0
  return batch.map((item) =>
    item instanceof FerError
      ? item
      : toPrediction(
          logits.data.subarray(row++ * classes.length, row * classes.length),
          classes,
          settings.logits,
        ),
  )
}

function toPrediction(logits: Float32Array, classes: readonly string[], withLogits: boolean): Prediction {
  const probabilities = softmax(logits)
  const top = probabilities.indexOf(Math.max(...probabilities))
  const prediction = {
    label: classes[top]!,
    confidence: probabilities[top]!,
    probabilities: Object.fromEntries(classes.map((name, i) => [name, probabilities[i]!])),
  }
  return withLogits ? { ...prediction, logits: [...logits] } : prediction
}
