/** The kernels themselves, on tensors whose memory is shared with LibTorch both ways: read in place, given in place. */

import { settled, toFerError } from './calls.js'
import {
  type BackboneName,
  backbones,
  type PrecisionName,
  precisions,
  type StemName,
  stems,
} from './catalog.js'
import { type NativeArmWeights, native } from './native.js'
import { fail, integer, oneOf, optional, readOptions, unshared } from './options/check.js'
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
  checkTensor(features, 'features', 4, ['float32', 'float64'])
  const [, height = 0, width = 0, channels = 0] = features.shape
  if (channels === 0 || channels % 256 !== 0 || height < 2 || width < 2) {
    fail(
      'features',
      'of shape (N, h, w, C), h and w at least 2, C a multiple of 256',
      `(${features.shape.join(', ')})`,
    )
  }
  const maps = [channels / 256]
  const shapes = {
    kernel: [32, 32],
    normWeight: maps,
    normBias: maps,
    normMean: maps,
    normVariance: maps,
    ...(weights?.alpha || weights?.generic ? { alpha: [1], generic: [2 * height - 3, 2 * width - 3] } : {}),
  }
  const checked = Object.entries(shapes).map(([name, shape]) => {
    const tensor = checkTensor(weights?.[name as keyof ArmWeights], `weights.${name}`, shape.length, [
      features.dtype,
    ])
    if (String(tensor.shape) !== String(shape))
      fail(`weights.${name}`, `of shape (${shape.join(', ')})`, `(${tensor.shape.join(', ')})`)
    return [name, tensor]
  })
  return settled(() => native.arm(features, Object.fromEntries(checked) as NativeArmWeights))
}

export interface BackboneOptions {
  /** `standard` by default. */
  stem?: StemName
  /** `float32` by default. */
  precision?: PrecisionName
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
    precision: optional(oneOf(precisions), 'float32'),
  })
  if (typeof weights !== 'object' || weights === null)
    fail('weights', 'an object of tensors by name', weights)
  const entries = Object.entries(weights).map(([key, tensor]) => ({
    ...checkTensor(tensor, `weights['${key}']`),
    name: key,
  }))
  const network = construct(() => new native.Backbone(name, stem, entries))
  return {
    async forward(images) {
      checkTensor(images, 'images', 4, ['float32'])
      if (images.shape[3] !== 3) fail('images', 'of shape (N, H, W, 3)', `(${images.shape.join(', ')})`)
      return settled(() => network.forward(images, precision))
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
  checkTensor(images, 'images', 4, ['uint8', 'float32'])
  const [height, width] = Array.isArray(size) ? size : [size, size]
  const side = integer(1, 65536)
  return settled(() => native.resize(images, side(height, 'size'), side(width, 'size'))) as Promise<Tensor<D>>
}

function construct<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw toFerError(error)
  }
}

const dtypes = ['uint8', 'int32', 'int64', 'bfloat16', 'float16', 'float32', 'float64'] as const
const arrays = {
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

function checkTensor(
  tensor: Tensor | undefined,
  name: string,
  rank?: number,
  accepted: readonly DType[] = dtypes,
): Tensor {
  if (typeof tensor !== 'object' || tensor === null) fail(name, 'a tensor { dtype, shape, data }', tensor)
  const { dtype, shape, data } = tensor
  oneOf(accepted)(dtype, `${name}.dtype`)
  const fits = Array.isArray(shape) && (rank === undefined || shape.length === rank)
  if (!fits || !shape.every((side) => Number.isSafeInteger(side) && side >= 0)) {
    fail(
      `${name}.shape`,
      rank === undefined ? 'an array of sides' : `an array of ${rank} sides`,
      shape?.join?.(' x ') ?? shape,
    )
  }
  if (!(data instanceof arrays[dtype])) fail(`${name}.data`, `a ${arrays[dtype].name}`, data)
  unshared(data, `${name}.data`)
  if (data.byteLength !== byteLength({ dtype, shape }))
    fail(`${name}.data`, `${byteLength({ dtype, shape })} bytes for its shape`, data.byteLength)
  return tensor
}
