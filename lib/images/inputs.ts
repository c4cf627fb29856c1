import { basename } from 'node:path'
import pMap from 'p-map'
import type { Picture } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { Box, NativeInput } from '../native.js'
import { type Check, fail, readOptions, unshared } from '../options/check.js'
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
  const items = Array.isArray(input) ? Array.from(input) : [input as Image | BoxedImage]
  return items.map((item, i) => {
    const { image, box: own = box } = separate(item, `picture ${i}`)
    return pending(image, typeof image === 'string' ? image : `picture ${i}`, own)
  })
}

/** A picture and the box it brings along, which takes precedence over one for all. */
function separate(item: Image | BoxedImage, name: string): { image: Image; box?: Box | undefined } {
  if (typeof item !== 'object' || item === null || item instanceof Uint8Array) return { image: item }
  if (!('image' in item)) return { image: item, box: item.box }
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
  typeof input === 'object' && input !== null && 'dtype' in input

const pending = (image: Image, name: string, box?: Box): PendingImage => ({
  name,
  read: async () => withBox(await readImage(image, name), name, box),
})

async function readImage(image: Image, name: string): Promise<Picture> {
  if (typeof image === 'string' || image instanceof Uint8Array) return decode(image, name)
  return checkPixels(image, name)
}

function checkPixels(pixels: RawPixels, name: string): Picture {
  const { data, width, height, channels } = pixels ?? {}
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    fail(name, 'a path, encoded bytes, or { data, width, height, channels } with a Uint8Array', pixels)
  }
  const isSide = (side: unknown) => Number.isSafeInteger(side) && (side as number) > 0
  if (!isSide(width)) fail(`${name}.width`, 'a positive integer', width)
  if (!isSide(height)) fail(`${name}.height`, 'a positive integer', height)
  if (channels !== 1 && channels !== 3)
    fail(`${name}.channels`, '1 or 3 (leave an alpha channel out)', channels)
  unshared(data, `${name}.data`)
  const expected = width * height * channels
  if (data.length !== expected)
    fail(`${name}.data`, `${expected} bytes (width x height x channels)`, data.length)
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height, channels }
}

function splitTensor(tensor: Tensor<'uint8'>): RawPixels[] {
  const { dtype, shape, data } = tensor
  if (!Array.isArray(shape)) fail('shape', '(N, H, W, C)', shape)
  if (!(data instanceof Uint8Array)) fail('data', 'a Uint8Array', data)
  if (dtype !== 'uint8') fail('dtype', '`uint8`', dtype)
  const [count, height, width, channels] = shape as [number, number, number, 1 | 3]
  if (shape.length !== 4) fail('shape', '(N, H, W, C)', `(${shape.join(', ')})`)
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    fail('shape', 'four whole numbers', `(${shape.join(', ')})`)
  const area = height * width * channels
  if (data.length !== count * area) fail('data', `${count * area} bytes for its shape`, data.length)
  return Array.from({ length: count }, (_, i) => ({
    data: data.subarray(i * area, (i + 1) * area),
    width,
    height,
    channels,
  }))
}

function withBox(picture: Picture, name: string, box?: Box): NativeInput {
  const { data, width, height, channels } = picture
  const input = { dtype: 'uint8', shape: [height, width, channels], data } as const
  return box === undefined ? input : { ...input, box: checkBox(box, picture, name) }
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
