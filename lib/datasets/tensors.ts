import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { FerError } from '../errors.js'
import { type Check, fail, readOptions, unshared } from '../options/check.js'
import { blockSamples } from './block.js'
import type { Dataset, PixelBlock, Split } from './dataset.js'
import { canonicalExpression, type Expression, inCanonicalOrder } from './expressions.js'
import { unknownClass } from './problems.js'

/** The part of a Tensor that faces in memory need: (count, height, width, channels), 1 or 3 channels. */
export interface PixelTensor {
  readonly dtype: 'uint8'
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

export interface TensorsSource {
  readonly pixels: PixelTensor
  /** One index into `classes` a face: an array or a typed array of integers. */
  readonly labels: ArrayLike<number>
  /** Expressions or usual aliases, each at most once, in the order the labels count them. */
  readonly classes: readonly string[]
}

/**
 * Faces in memory, by reference: the pixels are never copied, so do not change them while the data set is in use.
 * One flat data set, which answers any split. The split lists its classes in canonical order, as every data set
 * does, with the labels renumbered to match. Throws ERR_INVALID_OPTION or ERR_UNKNOWN_CLASS at once.
 */
export function tensors(source: TensorsSource): Dataset {
  const given: Check<unknown> = (value, name) => value ?? fail(name, 'given', value)
  const shape = { pixels: given, labels: given, classes: given }
  const { pixels, labels, classes } = readOptions(source, shape) as unknown as TensorsSource
  const block = requireBlock(pixels)
  const named = requireClasses(classes)
  const canonical = inCanonicalOrder(named)
  const renumbered = requireLabels(labels, block.shape[0], named).map((label) =>
    canonical.indexOf(named[label]!),
  )
  return {
    name: `tensors:${block.shape[0]}`,
    splits: async () => [],
    open: () => openBlock(block, renumbered, canonical),
  }
}

async function openBlock(block: PixelBlock, labels: Int32Array, classes: Expression[]): Promise<Split> {
  return {
    classes,
    color: block.shape[3] === 1 ? 'grey' : 'rgb',
    samples: blockSamples(block, labels, (index) => `face ${index}`),
    fingerprint: await fingerprintOf(block, labels, classes),
    pixels: block,
  }
}

function requireBlock(pixels: PixelTensor): PixelBlock {
  const { dtype, shape, data } = pixels
  if (dtype !== 'uint8' || !isUint8Array(data))
    throw wrong('pixels', 'a uint8 tensor over a Uint8Array', dtype)
  unshared(data, 'pixels.data')
  const [count = 0, height = 0, width = 0, channels = 0] = shape
  const isShape = shape.length === 4 && shape.every((size) => Number.isSafeInteger(size) && size > 0)
  if (!isShape || (channels !== 1 && channels !== 3)) {
    throw wrong('pixels.shape', '[count, height, width, 1 or 3], all above 0', `[${shape.join(', ')}]`)
  }
  const length = count * height * width * channels
  if (data.length !== length) throw wrong('pixels.data', `${length} bytes, the product of shape`, data.length)
  return { data, shape: [count, height, width, channels] }
}

// By tag rather than `instanceof`, which fails on an array from another realm (a vm context, a test runner).
function isUint8Array(value: unknown): boolean {
  return ArrayBuffer.isView(value) && /^\[object Uint8Array\]$/.test(Object.prototype.toString.call(value))
}

function requireClasses(classes: readonly string[]): Expression[] {
  if (classes.length === 0) throw wrong('classes', 'a list of at least one expression', '[]')
  const named = classes.map((name, index) => {
    const expression = canonicalExpression(String(name))
    if (expression === undefined)
      throw unknownClass(`\`classes[${index}]\`, \`${name}\`,`, 'Rename the class.')
    return expression
  })
  const twice = named.findIndex((expression, index) => named.indexOf(expression) < index)
  if (twice >= 0) throw wrong(`classes[${twice}]`, 'a class not named before', classes[twice])
  return named
}

function requireLabels(labels: ArrayLike<number>, count: number, classes: readonly string[]): Int32Array {
  if (labels.length !== count) throw wrong('labels', `${count} labels, one a face`, labels.length)
  const values = Array.from(labels)
  const bad = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes.length))
  if (bad < 0) return Int32Array.from(values)
  throw new FerError(
    'ERR_UNKNOWN_CLASS',
    `Expected \`labels[${bad}]\` to be an integer from 0 to ${classes.length - 1}, an index into \`classes\`, ` +
      `got \`${values[bad]}\` (${typeof values[bad]}).`,
  )
}

function wrong(field: string, expected: string, got: unknown): FerError {
  return new FerError('ERR_INVALID_OPTION', `Expected \`${field}\` to be ${expected}, got \`${got}\`.`)
}

const hashedAtOnce = 4 * 2 ** 20 // bytes, a few milliseconds of the event loop

async function fingerprintOf(block: PixelBlock, labels: Int32Array, classes: readonly string[]) {
  const hash = createHash('sha256')
    .update(JSON.stringify([block.shape, classes]))
    .update(labels)
  for (let start = 0; start < block.data.length; start += hashedAtOnce) {
    hash.update(block.data.subarray(start, start + hashedAtOnce))
    await setImmediate()
  }
  return hash.digest('hex')
}
