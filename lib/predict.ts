import { cancellable } from './calls.js'
import { FerError } from './errors.js'
import {
  type BoxedImage,
  type Image,
  type Input,
  isTensor,
  type PendingImage,
  pendingImages,
  readAll,
} from './images/inputs.js'
import { type Answer, answerOf } from './model/answer.js'
import { inferenceFor } from './model/inference.js'
import type { ModelInfo } from './model/info.js'
import { Model } from './model.js'
import type { Box, NativeInput, Network } from './native.js'
import { boolean, type Check, fail, oneOf, optional, readOptions } from './options/check.js'
import { type InferenceOptions, type InferenceSettings, inferenceShape } from './options/inference.js'
import type { Tensor } from './tensor.js'

export interface PredictOptions extends InferenceOptions {
  /**
   * A model, or the path of one, which is then loaded for this call. By default the model that ships with the package,
   * which is loaded at the first call and kept: seven expressions, trained on FER2013.
   */
  model?: Model | string
  /** The face, in pixels of the upright picture; for every picture that has no box of its own. */
  box?: Box
  /** Whether to give the logits too. */
  logits?: boolean
  /** What one unreadable picture among several does: reject the call, or stand in the result as its error. */
  onError?: 'reject' | 'return'
}

/** What the model sees in one face. */
export interface Prediction extends Answer {
  /** In the model's order, where asked for; divided by the model's temperature, so that their softmax is `probabilities`. */
  readonly logits?: readonly number[]
  /** Present where the answer depends on the other faces of its batch, because affinity `batch` was asked for. */
  readonly affinity?: 'batch'
}

/**
 * The expression of each face, in the order given. Decodes, resizes and computes off the event loop, in batches.
 * ERR_BAD_IMAGE and ERR_BAD_BOX name the picture; among several, they give its index.
 */
export function predict(input: Image | BoxedImage, options?: PredictOptions): Promise<Prediction>
export function predict(
  input: readonly (Image | BoxedImage)[] | Tensor<'uint8'>,
  options: PredictOptions & { onError: 'return' },
): Promise<(Prediction | FerError)[]>
export function predict(
  input: readonly (Image | BoxedImage)[] | Tensor<'uint8'>,
  options?: PredictOptions,
): Promise<Prediction[]>
export async function predict(input: Input, options: PredictOptions = {}): Promise<unknown> {
  const settings = readOptions(options, shape)
  settings.signal?.throwIfAborted()
  const several = Array.isArray(input) || isTensor(input)
  const images = pendingImages(input, settings.box)
  const { model = await bundled() } = settings
  const { network, info } = await borrowed(model)
  try {
    const results = await predictAll(images, { ...settings, several, network, info })
    return several ? results : results[0]
  } finally {
    network.dispose()
  }
}

let kept: Promise<Model> | undefined

/** The model that ships with the package, loaded once; where that failed, the next call tries again. */
function bundled(): Promise<Model> {
  kept ??= Model.load().catch((error) => {
    kept = undefined
    throw error
  })
  return kept
}

/** Of a path, the network outlives the model by the call. */
async function borrowed(given: Model | string) {
  if (typeof given !== 'string') return { network: Model.borrow(given), info: given.info }
  await using model = await Model.load(given)
  return { network: Model.borrow(model), info: model.info }
}

const model: Check<Model | string> = (value, name) =>
  Model.is(value) || (typeof value === 'string' && value !== '')
    ? value
    : fail(name, 'a Model (from `train` or `Model.load`) or the path of one', value)

const shape = {
  ...inferenceShape,
  model: optional(model, undefined),
  box: optional((value: unknown) => value as Box, undefined),
  logits: optional(boolean, false),
  onError: optional(oneOf<'reject' | 'return'>(['reject', 'return']), 'reject'),
}

interface Call extends InferenceSettings {
  readonly logits: boolean
  readonly onError: 'reject' | 'return'
  readonly several: boolean
  readonly network: Network
  readonly info: ModelInfo
}

/** Pictures read in one go, between looks at what they weigh. */
const readAtOnce = 8
/** Decoded bytes, beyond which a batch is computed as it is: a photograph of a few MB decodes to a hundred. */
const heaviestBatch = 2 ** 28

/** While one batch is computed, the next is decoded. */
async function predictAll(images: readonly PendingImage[], call: Call): Promise<(Prediction | FerError)[]> {
  const results: (Prediction | FerError)[] = []
  let next = readBatch(images, 0, call)
  for (let done = 0; done < images.length; ) {
    const batch = await next
    done += batch.length
    next = readBatch(images, done, call)
    // Awaited a turn later: meanwhile its failure must not count as unhandled.
    next.catch(() => {})
    results.push(...(await predictBatch(batch, call)))
  }
  return results
}

/** Of affinity `batch` always the size asked for, on which the answers depend. */
async function readBatch(images: readonly PendingImage[], first: number, call: Call) {
  const { batchSize, affinity } = call
  const batch: (NativeInput | FerError)[] = []
  const last = Math.min(images.length, first + batchSize)
  for (let bytes = 0; first + batch.length < last && (bytes < heaviestBatch || affinity === 'batch'); ) {
    const start = first + batch.length
    const some = await readSome(images.slice(start, Math.min(last, start + readAtOnce)), start, call)
    batch.push(...some)
    bytes += some.reduce((sum, item) => sum + (item instanceof FerError ? 0 : item.data.length), 0)
  }
  return batch
}

function readSome(
  images: readonly PendingImage[],
  first: number,
  call: Call,
): Promise<(NativeInput | FerError)[]> {
  return readAll(images, call.signal, (error, index) => {
    if (!(error instanceof FerError) || !call.several) throw error
    if (call.onError === 'return') return error
    throw new FerError(error.code, `Picture ${first + index}: ${error.message}`, { cause: error })
  })
}

async function predictBatch(
  batch: readonly (NativeInput | FerError)[],
  call: Call,
): Promise<(Prediction | FerError)[]> {
  const readable = batch.filter((item): item is NativeInput => !(item instanceof FerError))
  const inference = inferenceFor(call.info, call)
  const logits = await cancellable(call.signal, (cancellation) =>
    call.network.infer(readable, inference, 'logits', cancellation),
  )
  const width = call.info.classes.length
  let row = 0
  const nextRow = () => logits.data.subarray(row * width, ++row * width)
  return batch.map((item) => (item instanceof FerError ? item : toPrediction(nextRow(), call)))
}

function toPrediction(given: Float32Array, { info, logits: withLogits, affinity }: Call): Prediction {
  const { answer, logits } = answerOf(given, info)
  return {
    ...answer,
    ...(withLogits ? { logits: [...logits] } : {}),
    ...(affinity === 'batch' ? { affinity } : {}),
  }
}
