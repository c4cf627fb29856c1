import { basename } from 'node:path'
import { types } from 'node:util'
import pMap from 'p-map'
import type { Picture } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { Box, NativeInput } from '../native.js'
import { type Check, fail, fieldOf, fieldsOf, hasField, readOptions, steady } from '../options/check.js'
import type { Tensor } from '../tensor.js'
import { decode } from './decode.js'

/** Decoded pixels: rows from the top, channels interleaved, 8 bits each. Read in place: do not change them meanwhile. */
export interface RawPixels {
  readonly data: Uint8Array | Uint8ClampedArray // (height, width, channels)
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** The part of it to read. */
  readonly box?: Box
}

/** A path, the bytes of an encoded picture, or decoded pixels. */
export type Image = string | Uint8Array | RawPixels

/** A picture of which only a part is the face. The box counts pixels of the upright picture. */
export interface BoxedImage {
  readonly image: Image
  readonly box: Box
}

/** One picture, several, or decoded ones of one size in a Tensor (N, H, W, C) of dtype uint8. */
export type Input = Image | BoxedImage | Tensor<'uint8'> | readonly (Image | BoxedImage)[]

/** A picture yet to be read, and what an error calls it. */
export interface PendingImage {
  readonly name: string
  readonly read: () => Promise<NativeInput>
}

export function pendingImages(input: Input, box?: Box): PendingImage[] {
  if (isTensor(input)) return splitTensor(input).map((picture, i) => pending(picture, `picture ${i}`, box))
  return listed(input).map((item, i) => {
    const { image, box: own = box } = separate(item, `picture ${i}`)
    return pending(image, typeof image === 'string' ? image : `picture ${i}`, own)
  })
}

/** A copy, which cannot change while it is read. Of 2^32 holes none can be made. */
function listed(input: Image | BoxedImage | readonly (Image | BoxedImage)[]): (Image | BoxedImage)[] {
  if (!Array.isArray(input)) return [input as Image | BoxedImage]
  const items: (Image | BoxedImage)[] = []
  for (let i = 0; i < input.length; i++) {
    if (!(i in input)) fail(`picture ${i}`, aPicture, 'a hole in the array')
    items.push(input[i])
  }
  return items
}

const aPicture = 'a path, encoded bytes, or { data, width, height, channels } with a Uint8Array'

/** A picture and the box it brings along, which takes precedence over one for all. */
function separate(item: Image | BoxedImage, name: string): { image: Image; box?: Box | undefined } {
  if (typeof item !== 'object' || item === null || types.isUint8Array(item)) return { image: item }
  if (!hasField(item, 'image')) return { image: item as RawPixels, box: fieldOf(item, 'box') as Box }
  const any: Check<unknown> = (value) => value
  return readOptions(item, { image: any, box: any }, name) as unknown as BoxedImage
}

/** Pictures decoded at once: sharp works in libuv's four threads. */
const concurrency = 4

/** Reads pictures in their order; `onError` may put something in the place of one that cannot be read. */
export function readAll<T = never>(
  images: readonly PendingImage[],
  signal?: AbortSignal,
  onError: (error: unknown, index: number) => T = (error) => {
    throw error
  },
): Promise<(NativeInput | T)[]> {
  const read = async (image: PendingImage, index: number) => {
    signal?.throwIfAborted()
    try {
      return await image.read()
    } catch (error) {
      return onError(error, index)
    }
  }
  return pMap(images, read, { concurrency })
}

export const isTensor = (input: unknown): input is Tensor<'uint8'> =>
  typeof input === 'object' && input !== null && hasField(input, 'dtype')

const pending = (image: Image, name: string, box?: Box): PendingImage => ({
  name,
  read: async () => withBox(await readImage(image, name), name, box),
})

async function readImage(image: Image, name: string): Promise<Picture> {
  // By kind rather than `instanceof`, which fails on an array from another realm (a vm context, a test runner).
  if (typeof image === 'string' || types.isUint8Array(image)) return decode(image, name)
  return checkPixels(image, name)
}

function checkPixels(pixels: RawPixels, name: string): Picture {
  const { data, width, height, channels } = fieldsOf(pixels, 'data', 'width', 'height', 'channels')
  if (!types.isUint8Array(data) && !types.isUint8ClampedArray(data)) fail(name, aPicture, pixels)
  const isSide = (side: unknown): side is number => Number.isSafeInteger(side) && (side as number) > 0
  if (!isSide(width)) fail(`${name}.width`, 'a positive integer', width)
  if (!isSide(height)) fail(`${name}.height`, 'a positive integer', height)
  if (channels !== 1 && channels !== 3)
    fail(`${name}.channels`, '1 or 3 (leave an alpha channel out)', channels)
  steady(data, `${name}.data`)
  const expected = width * height * channels
  if (data.length !== expected)
    fail(`${name}.data`, `${expected} bytes (width x height x channels)`, data.length)
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height, channels }
}

function splitTensor(tensor: Tensor<'uint8'>): RawPixels[] {
  const { dtype, shape, data } = fieldsOf(tensor, 'dtype', 'shape', 'data')
  if (!Array.isArray(shape)) fail('shape', '(N, H, W, C)', shape)
  if (!types.isUint8Array(data)) fail('data', 'a Uint8Array', data)
  if (dtype !== 'uint8') fail('dtype', '`uint8`', dtype)
  if (shape.length !== 4) fail('shape', '(N, H, W, C)', `${shape.length} sides`)
  const sides = Array.from<unknown, number>(shape, (size, i) =>
    Number.isSafeInteger(size) && (size as number) >= 0
      ? (size as number)
      : fail(`shape[${i}]`, 'one of four whole numbers', size),
  )
  const [count, height, width, channels] = sides as [number, number, number, number]
  if (height === 0 || width === 0 || (channels !== 1 && channels !== 3))
    fail(
      'shape',
      '(N, H, W, C), H and W above 0, C 1 or 3 (leave an alpha channel out)',
      `(${sides.join(', ')})`,
    )
  steady(data, 'data')
  const area = height * width * channels
  if (data.length !== count * area) fail('data', `${count * area} bytes for its shape`, data.length)
  const { buffer, byteOffset } = data
  return Array.from({ length: count }, (_, i) => ({
    data: new Uint8Array(buffer, byteOffset + i * area, area),
    width,
    height,
    channels,
  }))
}

function withBox(picture: Picture, name: string, box?: Box): NativeInput {
  const { data, width, height, channels } = picture
  const whole = { left: 0, top: 0, width, height }
  const part = box === undefined ? whole : checkBox(box, picture, name)
  return { dtype: 'uint8', shape: [height, width, channels], data, box: part }
}

const side: Check<number> = (value, name) =>
  Number.isSafeInteger(value)
    ? (value as number)
    : fail(name, 'an integer, in pixels of the upright picture', value)

function checkBox(given: Box, { width, height }: Picture, name: string): Box {
  const box = readOptions<Box>(given, { left: side, top: side, width: side, height: side }, 'box', 'box.')
  const inside =
    box.left >= 0 &&
    box.top >= 0 &&
    box.width > 0 &&
    box.height > 0 &&
    box.left + box.width <= width &&
    box.top + box.height <= height
  if (inside) return box
  const asked = `left ${box.left}, top ${box.top}, width ${box.width}, height ${box.height}`
  throw new FerError(
    'ERR_BAD_BOX',
    `The box (${asked}) does not lie inside \`${basename(name)}\`, which is ${width} x ${height} pixels upright. Clip it to the picture`,
  )
}
