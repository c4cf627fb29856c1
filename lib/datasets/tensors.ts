import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { types } from 'node:util'
import { FerError, plain } from '../errors.js'
import { type Check, fail, fieldsOf, readOptions, show, steady, text } from '../options/check.js'
import { blockSamples } from './block.js'
import type { Dataset, PixelBlock, Split } from './dataset.js'
import { canonicalExpression, type Expression, expressions, inCanonicalOrder } from './expressions.js'
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
  const { pixels, labels, classes } = readOptions(source, shape)
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

function requireBlock(pixels: unknown): PixelBlock {
  const { dtype, shape, data } = fieldsOf(pixels, 'dtype', 'shape', 'data')
  // By kind rather than `instanceof`, which fails on an array from another realm (a vm context, a test runner).
  if (dtype !== 'uint8' || !types.isUint8Array(data))
    fail('pixels', 'a uint8 tensor over a Uint8Array', typeof dtype === 'string' ? dtype : pixels)
  steady(data, 'pixels.data')
  const sides = Array.isArray(shape) && shape.length === 4 ? Array.from<unknown>(shape) : []
  const [count, height, width, channels] = sides as [number, number, number, number]
  const isShape = sides.length === 4 && sides.every((size) => Number.isSafeInteger(size) && Number(size) > 0)
  if (!isShape || (channels !== 1 && channels !== 3))
    fail('pixels.shape', '[count, height, width, 1 or 3], all above 0', shown(shape))
  const length = count * height * width * channels
  if (data.length !== length) fail('pixels.data', `${length} bytes, the product of shape`, data.length)
  return { data, shape: [count, height, width, channels] }
}

const shown = (shape: unknown): unknown =>
  Array.isArray(shape) && shape.length <= 8 && shape.every((size) => typeof size === 'number')
    ? `[${shape.join(', ')}]`
    : shape

function requireClasses(classes: unknown): Expression[] {
  if (!Array.isArray(classes) || classes.length === 0 || classes.length > expressions.length)
    fail(
      'classes',
      `a list of at least one expression and at most ${expressions.length}`,
      shownLength(classes),
    )
  const names = Array.from(classes, (name, index) => text(name, `classes[${index}]`))
  const named = names.map((name, index) => {
    const expression = canonicalExpression(name)
    if (expression === undefined)
      throw unknownClass(`\`classes[${index}]\`, \`${plain(name)}\`,`, 'Rename the class.')
    return expression
  })
  const twice = named.findIndex((expression, index) => named.indexOf(expression) < index)
  if (twice >= 0) fail(`classes[${twice}]`, 'a class not named before', names[twice])
  return named
}

const shownLength = (list: unknown): unknown => (Array.isArray(list) ? `${list.length} names` : list)

function requireLabels(labels: unknown, count: number, classes: readonly string[]): Int32Array {
  const { length } = fieldsOf(labels, 'length')
  if (length !== count) fail('labels', `${count} labels, one a face`, length)
  return Int32Array.from({ length: count }, (_, i) => {
    const label = (labels as ArrayLike<unknown>)[i]
    if (Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes.length) return Number(label)
    throw new FerError(
      'ERR_UNKNOWN_CLASS',
      `Expected \`labels[${i}]\` to be an integer from 0 to ${classes.length - 1}, an index into \`classes\`, ` +
        `got ${show(label)}`,
    )
  })
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
