import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { cancellable, chosenPrecision, settled, toFerError } from './calls.js'
import { type AffinityName, affinities, backbones, colors, heads, stems } from './catalog.js'
import { FerError } from './errors.js'
import { type Input, pendingImages, readAll } from './images/inputs.js'
import { type NativeInference, type Network, type NetworkSpec, type Normalization, native } from './native.js'
import {
  type Check,
  fail,
  integer,
  number,
  oneOf,
  optional,
  readOptions,
  type Shape,
  text,
} from './options/check.js'
import { type InferenceOptions, type InferenceSettings, inferenceShape } from './options/inference.js'
import { makePrefix, readHeaderOf } from './safetensors.js'

/** What a model is, as its file's header says. */
export interface ModelInfo extends NetworkSpec {
  /** In the order of logits and probabilities. */
  readonly classes: readonly string[]
  /** Where the weights come from: versions, data, options, measured accuracy. */
  readonly provenance: Readonly<Record<string, unknown>>
}

const format = 'fer-torch model 1'

/** A trained network that answers with one class of expression a face. Its memory is freed by `dispose`. */
export class Model implements AsyncDisposable {
  readonly info: ModelInfo
  readonly #network: Network

  /** Not for users: models come from `Model.load` and `train`. */
  constructor(info: ModelInfo, network: Network) {
    this.info = Object.freeze({ ...info, classes: Object.freeze([...info.classes]) })
    this.#network = network
  }

  /** Reads a safetensors file that `save` or `train` wrote. ERR_MODEL_NOT_FOUND, ERR_BAD_MODEL. */
  static async load(path: string): Promise<Model> {
    text(path, 'path')
    const file = await openModel(path)
    try {
      const { metadata, tensors } = await readHeaderOf(file, path)
      const info = readInfo(path, metadata)
      const network = await settled(native.createNetwork(info, { descriptor: file.fd, path, tensors }))
      return new Model(info, network)
    } catch (error) {
      throw badModel(path, error)
    } finally {
      await file.close()
    }
  }

  /** Writes one safetensors file, whole or not at all. `dtype: 'bfloat16'` halves it, keeping 8 bits of each weight. */
  async save(path: string, options: { dtype?: 'float32' | 'bfloat16' } = {}): Promise<void> {
    text(path, 'path')
    const { dtype } = readOptions(options, { dtype: optional(oneOf(['float32', 'bfloat16']), 'float32') })
    await saveNetwork(this.#network, this.info, path, dtype)
  }

  /**
   * What the classifier reads: (N, F) row-major; with head `arm` F is s^2, its affinity included, with `gap` 512. The array is the memory
   * LibTorch computed it in, not a copy.
   */
  async features(input: Input, options: InferenceOptions = {}): Promise<Float32Array> {
    const settings = readOptions(options, inferenceShape)
    const network = Model.borrow(this)
    try {
      const inputs = await readAll(pendingImages(input), settings.signal)
      const features = await cancellable(settings.signal, (cancellation) =>
        network.infer(inputs, inferenceFor(this.info, settings), 'features', cancellation),
      )
      return features.data
    } finally {
      network.dispose()
    }
  }

  /** Frees the weights; a call in flight ends normally, a later one fails with ERR_DISPOSED. */
  dispose(): void {
    this.#network.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
  }

  /** For the package's own verbs: a handle to be disposed of, which outlives the model's own. */
  static borrow(model: Model): Network {
    return lend(model.#network)
  }
}

async function openModel(path: string): Promise<FileHandle> {
  const file = await stat(path).catch(() => undefined)
  if (file?.isFile()) {
    return open(path).catch((cause: Error) => {
      throw new FerError('ERR_BAD_MODEL', `Cannot read \`${path}\`: ${cause.message}. Make it readable`, {
        cause,
      })
    })
  }
  throw new FerError(
    'ERR_MODEL_NOT_FOUND',
    `There is no model file \`${resolve(path)}\`. Train one, or correct the path`,
  )
}

function lend(network: Network): Network {
  try {
    return network.share()
  } catch (error) {
    throw toFerError(error)
  }
}

/** Inference options for a network, its own affinity filled in: the running mean for every model that shares one. */
export function inferenceFor(info: ModelInfo, settings: InferenceSettings): NativeInference {
  const own: AffinityName = info.affinity === 'none' ? 'none' : 'ema'
  const { batchSize, precision, affinity = own } = settings
  return { batchSize, precision: chosenPrecision(precision), affinity }
}

export async function saveNetwork(
  network: Network,
  info: ModelInfo,
  path: string,
  dtype: 'float32' | 'bfloat16',
): Promise<void> {
  await settled(() => {
    const isFloat = (name: string) => name === 'float32' || name === 'bfloat16'
    const tensors = network.state().map((entry) => (isFloat(entry.dtype) ? { ...entry, dtype } : entry))
    return network.save(path, makePrefix(tensors, { format, model: JSON.stringify(info) }), dtype)
  })
}

const strings: Check<readonly string[]> = (value, name) =>
  Array.isArray(value) && value.length > 0
    ? value.map((item, i) => text(item, `${name}[${i}]`))
    : fail(name, 'class names', value)

const triple: Check<readonly [number, number, number]> = (value, name) => {
  if (!Array.isArray(value) || value.length !== 3) return fail(name, 'three numbers', value)
  const [red, green, blue] = value.map((item, i) => number(-1e6, 1e6)(item, `${name}[${i}]`))
  return [red!, green!, blue!]
}

const infoShape: Shape<Omit<ModelInfo, 'classCount'>> = {
  backbone: oneOf(backbones),
  head: oneOf(heads),
  stem: oneOf(stems),
  imageSize: integer(1, 1024),
  color: oneOf(colors),
  affinity: oneOf(affinities),
  normalization: (value, name) =>
    readOptions<Normalization>(value, { mean: triple, deviation: triple }, name),
  classes: strings,
  provenance: (value) => (typeof value === 'object' && value !== null ? { ...value } : {}),
}

function readInfo(path: string, metadata: Readonly<Record<string, string>>): ModelInfo {
  try {
    if (metadata.format !== format) throw new Error(`its format is \`${metadata.format}\`, not \`${format}\``)
    const { classCount: _, ...given } = JSON.parse(metadata.model ?? '') as Record<string, unknown>
    const info = readOptions(given, infoShape, 'the header')
    return { ...info, classCount: info.classes.length }
  } catch (error) {
    throw badModel(path, error)
  }
}

function badModel(path: string, error: unknown): FerError {
  if (error instanceof FerError && error.code === 'ERR_BAD_MODEL' && error.message.includes(path))
    return error
  const why = (error as Error).message
  const cure = 'Copy it anew, or save it anew with `model.save`'
  return new FerError('ERR_BAD_MODEL', `\`${path}\` is not a model of this package: ${why}. ${cure}`, {
    cause: error,
  })
}
