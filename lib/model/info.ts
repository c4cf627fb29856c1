import { affinities, backbones, colors, heads, stems } from '../catalog.js'
import { FerError, plain } from '../errors.js'
import { temperatureRange } from '../metrics/temperature.js'
import type { NetworkSpec, Normalization } from '../native.js'
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
} from '../options/check.js'

/** What a model is, as its file's header says. */
export interface ModelInfo extends NetworkSpec {
  /** In the order of logits and probabilities. */
  readonly classes: readonly string[]
  /** Where the weights come from: versions, data, options, measured accuracy. */
  readonly provenance: Readonly<Record<string, unknown>>
  /** What precision `int8` needs; absent unless the model was quantised. */
  readonly quantization?: Quantization
  /**
   * What the network's logits are divided by, so that probabilities are those that validation faces bore out (Guo et al.
   * 2017, arXiv:1706.04599); from 0.01 to 100. Absent where none was fitted: 1.
   */
  readonly temperature?: number
}

/** The ranges of the values within a network, and the faces they were measured on. */
export interface Quantization {
  /** [lowest, highest], the normalised picture's first, then each layer's in the order of computation. */
  readonly ranges: readonly (readonly [number, number])[]
  readonly data: string
  readonly split: string
  readonly faces: number
}

/** ImageNet's, as fractions of full brightness: what weights from elsewhere expect. */
export const imageNet: Normalization = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }

const format = 'fer-torch model 1'
/** A header may be long; no network has more classes than ImageNet. */
const mostClasses = 1000
/** Characters of the header's description of a model, of which ours has about a thousand. */
const longestDescription = 2 ** 20
/** Layers of a network, and more. */
const mostValues = 10_000
/** Characters of a data set's name, which may hold a path. */
const longestName = 1000
/** Characters of the reason in an error, which may quote the file. */
const longestReason = 500

/** The header's metadata for a model. */
export const metadataOf = (info: ModelInfo): Record<string, string> => ({
  format,
  model: JSON.stringify(info),
})

/** Where the generic part comes from unless told otherwise: the running mean for every model that shares one. */
export const ownAffinity = (info: ModelInfo): 'ema' | 'none' => (info.affinity === 'none' ? 'none' : 'ema')

/** It is shown in terminals. */
const printable: Check<string> = (value, name) =>
  plain(text(value, name)) === value ? value : fail(name, 'at most 100 printable characters', value)

export const classNames: Check<readonly string[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostClasses)
    return fail(name, `1 to ${mostClasses} class names`, value)
  const names = value.map((item, i) => printable(item, `${name}[${i}]`))
  return new Set(names).size === names.length ? names : fail(name, 'class names that all differ', value)
}

const triple =
  (smallest: number): Check<readonly [number, number, number]> =>
  (value, name) => {
    if (!Array.isArray(value) || value.length !== 3) return fail(name, 'three numbers', value)
    const [red, green, blue] = value.map((item, i) => number(smallest, 1e6)(item, `${name}[${i}]`))
    return [red!, green!, blue!]
  }

/** What may be called anything: made fit for terminals rather than refused. */
const shown: Check<string> = (value) => plain(value, longestName)

const range: Check<readonly [number, number]> = (value, name) => {
  const [low, high] = Array.isArray(value) && value.length === 2 ? value : []
  return [number(-1e30, 1e30)(low, `${name}[0]`), number(low, 1e30)(high, `${name}[1]`)]
}

const quantization: Check<Quantization> = (value, name) =>
  readOptions<Quantization>(
    value,
    {
      ranges: (given, field) =>
        Array.isArray(given) && given.length <= mostValues
          ? given.map((item, i) => range(item, `${field}[${i}]`))
          : fail(field, `at most ${mostValues} ranges`, given),
      data: shown,
      split: shown,
      faces: integer(1, 1e9),
    },
    name,
    `${name}.`,
  )

const infoShape: Shape<Omit<ModelInfo, 'classCount'>> = {
  backbone: oneOf(backbones),
  head: oneOf(heads),
  stem: oneOf(stems),
  imageSize: integer(1, 1024),
  color: oneOf(colors),
  affinity: oneOf(affinities),
  normalization: (value, name) =>
    readOptions<Normalization>(value, { mean: triple(-1e6), deviation: triple(1e-6) }, name),
  classes: classNames,
  quantization: optional(quantization, undefined),
  temperature: optional(number(temperatureRange.smallest, temperatureRange.largest), undefined),
  provenance: (value) => (typeof value === 'object' && value !== null ? { ...value } : {}),
}

/** Checks what a header says, field by field. ERR_BAD_MODEL. */
export function readInfo(path: string, metadata: Readonly<Record<string, string>>): ModelInfo {
  try {
    checkFormat(metadata.format)
    const { classCount: _, ...given } = parseDescription(metadata.model)
    const { quantization, temperature, ...info } = readOptions(given, infoShape, 'the header')
    return {
      ...info,
      classCount: info.classes.length,
      ...(quantization ? { quantization } : {}),
      ...(temperature === undefined ? {} : { temperature }),
    }
  } catch (error) {
    throw badModel(path, error)
  }
}

function parseDescription(text: string | undefined): Record<string, unknown> {
  if (text === undefined) throw new Error('its header has no field `model`')
  if (text.length > longestDescription) throw new Error(`its field \`model\` has ${text.length} characters`)
  const value: unknown = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('its field `model` is not an object')
  return value as Record<string, unknown>
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`its field \`model\` is not JSON (${(error as Error).message})`)
  }
}

function checkFormat(given: string | undefined): void {
  if (given === format) return
  if (given === undefined) throw new Error(`it does not say \`${format}\``)
  if (given.startsWith('fer-torch checkpoint'))
    throw new Error(
      'it is what a run is resumed from; the models are `best.safetensors` and `last.safetensors` beside it',
    )
  throw new Error(`its format is \`${plain(given)}\`, not \`${format}\``)
}

/** The same error, naming the file where it did not. */
export function badModel(path: string, error: unknown): FerError {
  if (error instanceof FerError && error.code === 'ERR_BAD_MODEL' && error.message.includes(path))
    return error
  // Too little memory says nothing of the file.
  if (error instanceof FerError && error.code === 'ERR_NATIVE') return error
  const why = plain((error as Error).message, longestReason)
  const cure = 'Copy it anew, or save it anew with `model.save`'
  return new FerError('ERR_BAD_MODEL', `\`${path}\` is not a model of this package: ${why}. ${cure}`, {
    cause: error,
  })
}
