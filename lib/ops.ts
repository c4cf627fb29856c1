/** The kernels themselves, on tensors whose memory is shared with LibTorch both ways: read in place, given in place. */

import { types } from 'node:util'
import { settled, toFerError } from './calls.js'
import {
  type BackboneName,
  backbones,
  type StemName,
  stems,
  type TrainingPrecisionName,
  trainingPrecisions,
} from './catalog.js'
import { plain } from './errors.js'
import { type NativeArmWeights, native } from './native.js'
import { fail, fieldOf, fieldsOf, integer, oneOf, optional, readOptions, steady } from './options/check.js'
import { byteLength } from './safetensors.js'
import type { DType, Tensor } from './tensor.js'

export type { DType, Tensor, TypedArrays } from './tensor.js'

/** The learned tensors of ARM, m maps of s x t, s = 2h - 3 and t = 2w - 3; without `generic` there is no sharing affinity. */
export interface ArmWeights {
  readonly kernel: Tensor // (32, 32), of de-albino
  readonly normWeight: Tensor // (m)
  readonly normBias: Tensor // (m)
  readonly normMean: Tensor // (m)
  readonly normVariance: Tensor // (m)
  readonly alpha?: Tensor // (1)
  readonly generic?: Tensor // (s, t)
}

/**
 * ARM at inference (Shi & Zhu, arXiv 2103.10189, section 3): feature arrangement, de-albino, norm, sharing affinity.
 * features: (N, h, w, 256 m), float32 or float64, h and w at least 2 -> (N, 2h - 3, 2w - 3) of the
 * same type.
 */
export async function arm(features: Tensor, weights: ArmWeights): Promise<Tensor> {
  const input = checkTensor(features, 'features', 4, ['float32', 'float64'])
  const [, height = 0, width = 0, channels = 0] = input.shape
  if (channels === 0 || channels % 256 !== 0 || height < 2 || width < 2) {
    fail(
      'features',
      'of shape (N, h, w, C), h and w at least 2, C a multiple of 256',
      `(${input.shape.join(', ')})`,
    )
  }
  if (typeof weights !== 'object' || weights === null)
    fail('weights', 'an object of tensors by name', weights)
  const shares = ['alpha', 'generic'].some((name) => fieldOf(weights, name) !== undefined)
  const maps = [channels / 256]
  const shapes = {
    kernel: [32, 32],
    normWeight: maps,
    normBias: maps,
    normMean: maps,
    normVariance: maps,
    ...(shares ? { alpha: [1], generic: [2 * height - 3, 2 * width - 3] } : {}),
  }
  const checked = Object.entries(shapes).map(([name, shape]) => {
    const tensor = checkTensor(fieldOf(weights, name), `weights.${name}`, shape.length, [input.dtype])
    if (String(tensor.shape) !== String(shape))
      fail(`weights.${name}`, `of shape (${shape.join(', ')})`, `(${tensor.shape.join(', ')})`)
    return [name, tensor]
  })
  return settled(() => native.arm(input, Object.fromEntries(checked) as NativeArmWeights))
}

export interface BackboneOptions {
  /** `standard` by default. */
  stem?: StemName
  /** `float32` by default. */
  precision?: TrainingPrecisionName
}

export interface Backbone {
  /** images: (N, H, W, 3) float32, normalised -> the feature map (N, h, w, C), float32, or bfloat16 at that precision. */
  forward(images: Tensor<'float32'>): Promise<Tensor>
}

/** A backbone with given weights, by torchvision's names (`conv1.weight`, `layer1.0.bn1.running_mean`, ...). */
export function backbone(
  name: BackboneName,
  weights: Readonly<Record<string, Tensor>>,
  options: BackboneOptions = {},
): Backbone {
  oneOf(backbones)(name, 'name')
  const { stem, precision } = readOptions(options, {
    stem: optional(oneOf(stems), 'standard'),
    precision: optional(oneOf(trainingPrecisions), 'float32'),
  })
  if (typeof weights !== 'object' || weights === null)
    fail('weights', 'an object of tensors by name', weights)
  const entries = Object.entries(weights).map(([key, tensor]) => ({
    ...checkTensor(tensor, `weights['${plain(key)}']`),
    name: key,
  }))
  const network = construct(() => new native.Backbone(name, stem, entries))
  return {
    async forward(images) {
      const input = checkTensor(images, 'images', 4, ['float32'])
      if (input.shape[3] !== 3) fail('images', 'of shape (N, H, W, 3)', `(${input.shape.join(', ')})`)
      return settled(() => network.forward(input, precision))
    },
  }
}

/**
 * Antialiased bilinear, half-pixel centres, each axis independently: torchvision's resize, to one grey level.
 * images: (N, H, W, C), uint8 or float32 -> (N, height, width, C); `size` is a side, or [height, width].
 */
export async function resize<D extends 'uint8' | 'float32'>(
  images: Tensor<D>,
  size: number | readonly [height: number, width: number],
): Promise<Tensor<D>> {
  const input = checkTensor(images, 'images', 4, ['uint8', 'float32'])
  const [height, width] = (Array.isArray(size) ? size : [size, size]) as [number, number]
  for (const side of [height, width]) integer(1, 65536)(side, 'size')
  if (input.shape[0]! * input.shape[3]! * height * width > mostValues)
    fail('size', `small enough for ${mostValues} values in the result`, `${height} x ${width}`)
  return settled(() => native.resize(input, height, width)) as Promise<Tensor<D>>
}

/** Longer arrays than 2^32 - 1 end the process; half as many are 8 GB of float32. */
const mostValues = 2 ** 31

function construct<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw toFerError(error)
  }
}

const dtypes = ['uint8', 'int32', 'int64', 'bfloat16', 'float16', 'float32', 'float64'] as const
/** By kind rather than `instanceof`, which fails on an array from another realm (a vm context, a test runner). */
const arrays = {
  uint8: ['Uint8Array', types.isUint8Array],
  int32: ['Int32Array', types.isInt32Array],
  int64: ['BigInt64Array', types.isBigInt64Array],
  bfloat16: ['Uint16Array', types.isUint16Array],
  float16: ['Uint16Array', types.isUint16Array],
  float32: ['Float32Array', types.isFloat32Array],
  float64: ['Float64Array', types.isFloat64Array],
} as const
const mostSides = 8

/** The tensor as it was when it was checked: each field is read once. */
function checkTensor<D extends DType = DType>(
  tensor: unknown,
  name: string,
  rank?: number,
  accepted: readonly D[] = dtypes as readonly DType[] as readonly D[],
): Tensor<D> {
  if (typeof tensor !== 'object' || tensor === null) fail(name, 'a tensor { dtype, shape, data }', tensor)
  const { dtype: type, shape: sides, data } = fieldsOf(tensor, 'dtype', 'shape', 'data')
  const dtype = oneOf(accepted)(type, `${name}.dtype`)
  const shape = checkShape(sides, `${name}.shape`, rank)
  const [array, isArray] = arrays[dtype]
  if (!isArray(data)) fail(`${name}.data`, `a ${array}`, data)
  steady(data, `${name}.data`)
  if (data.byteLength !== byteLength({ dtype, shape }))
    fail(`${name}.data`, `${byteLength({ dtype, shape })} bytes for its shape`, data.byteLength)
  return { dtype, shape, data } as unknown as Tensor<D>
}

function checkShape(given: unknown, name: string, rank: number | undefined): number[] {
  const fits =
    Array.isArray(given) && (rank === undefined ? given.length <= mostSides : given.length === rank)
  if (!fits) fail(name, `an array of ${rank ?? `at most ${mostSides}`} sides`, given)
  return Array.from<unknown, number>(given, (side, axis) =>
    integer(0, Number.MAX_SAFE_INTEGER)(side, `${name}[${axis}]`),
  )
}
