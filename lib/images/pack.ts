import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import pMap from 'p-map'
import { settled } from '../calls.js'
import type { Color } from '../catalog.js'
import { faceOf } from '../datasets/block.js'
import type { Picture, PixelBlock, Sample, Split } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { type ImageSet, native, type TensorEntry } from '../native.js'
import { makePrefix, readHeader } from '../safetensors.js'
import type { Tensor } from '../tensor.js'
import { packFolder } from './cache.js'

/** To be raised with any change that alters a packed pixel. */
const version = 2
const format = `fer-torch pack ${version}`
/** Pictures decoded at once: sharp works in libuv's four threads. */
const concurrency = 4
/** Room for shifting and turning, where training pictures are made smaller: an eighth. */
const margin = 1.125
/** Pictures of one size up to this much larger than the input are kept as they are. */
const largestKept = 1.25

export interface PackOptions {
  /** Side of the square the network reads. */
  readonly imageSize: number
  readonly color: Color
  /** Whether the pictures will be augmented: resized ones then keep a margin. */
  readonly augmented: boolean
  /** Where the packed file is kept: in the cache, if not given. */
  readonly folder?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** The pictures of a split, decoded once and all of one size. */
export interface Packed {
  /** As native code reads them. */
  imageSet(labels: Int32Array, targets?: Tensor<'float32'>): Promise<ImageSet>
  /** Of each picture as it was decoded, 16 bytes: equal where, and only where, all pixels are. */
  digests(): Promise<Uint8Array>
}

/** The same, with the labels of the split. */
export async function pack(split: Split, options: PackOptions): Promise<ImageSet> {
  return (await packPictures(split, options)).imageSet(labelsOf(split.samples))
}

/** In place where they are in memory already, else from a memory-mapped file in the cache, made if it is not there. */
export async function packPictures(split: Split, options: PackOptions): Promise<Packed> {
  if (split.pixels) return inMemory(split.pixels)
  const path = join(options.folder ?? packFolder(), `${keyOf(split, options)}.safetensors`)
  const places =
    (await findPlaces(path, split.samples.length)) ?? (await makePack(path, split.samples, options))
  return {
    imageSet: (labels, targets) =>
      settled(() => new native.ImageSet({ path, ...places.pixels }, labels, targets)),
    digests: () => readDigests(path, places),
  }
}

const labelsOf = (samples: readonly Sample[]): Int32Array => Int32Array.from(samples, ({ label }) => label)

function inMemory(block: PixelBlock): Packed {
  const { data, shape } = block
  return {
    imageSet: async (labels, targets) =>
      new native.ImageSet({ dtype: 'uint8', shape, data }, labels, targets),
    digests: async () => {
      const digests = new Uint8Array(shape[0] * digestLength)
      for (let index = 0; index < shape[0]; index++) {
        digests.set(digestOf(faceOf(block, index)), index * digestLength)
        if (index % digestedAtOnce === 0) await setImmediate()
      }
      return digests
    },
  }
}

/** Bytes, of SHA-256: two pictures of a billion agree by chance once in 10^20. */
const digestLength = 16
/** Pictures in a row, a few milliseconds of the event loop. */
const digestedAtOnce = 256

const digestOf = ({ data, width, height, channels }: Picture): Uint8Array =>
  createHash('sha256')
    .update(JSON.stringify([width, height, channels]))
    .update(data)
    .digest()
    .subarray(0, digestLength)

async function readDigests(path: string, { digests }: Places): Promise<Uint8Array> {
  const bytes = new Uint8Array(digests.shape[0]! * digestLength)
  const file = await open(path)
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, digests.offset + done)
      if (bytesRead === 0) throw new FerError('ERR_BAD_DATA', `\`${path}\` is cut short. Remove it`)
      done += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

function keyOf(split: Split, { imageSize, color, augmented }: PackOptions): string {
  const parts = [version, split.fingerprint, imageSize, color, augmented]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

interface Place {
  readonly offset: number
  readonly shape: readonly number[]
}

interface Places {
  readonly pixels: Place
  readonly digests: Place
}

async function findPlaces(path: string, count: number): Promise<Places | undefined> {
  try {
    const { tensors, metadata } = await readHeader(path)
    const [pixels, digests] = ['pixels', 'digests'].map((name) =>
      tensors.find((tensor) => tensor.name === name),
    )
    const [faces, height = 0, width = 0, channels = 0] = pixels?.shape ?? []
    const isPictures = height > 0 && width > 0 && (channels === 1 || channels === 3)
    const fits = metadata.format === format && pixels?.dtype === 'uint8' && faces === count && isPictures
    return fits && digests && pixels.shape.length === 4 ? { pixels, digests } : undefined
  } catch {
    // Missing or damaged: it is only a cache, and made anew.
    return undefined
  }
}

/** Tries the pictures' own size; at the first that differs, begins again with the size asked for. */
async function makePack(path: string, samples: readonly Sample[], options: PackOptions): Promise<Places> {
  const own = await samples[0]?.read()
  const side = Math.ceil(options.imageSize * (options.augmented ? margin : 1))
  const square = { width: side, height: side, resized: true }
  if (!own || Math.max(own.width, own.height) > options.imageSize * largestKept)
    return write(path, samples, square, options)
  try {
    return await write(path, samples, { width: own.width, height: own.height, resized: false }, options)
  } catch (error) {
    if (!(error instanceof SizesDiffer)) throw error
    return write(path, samples, square, options)
  }
}

class SizesDiffer extends Error {}

interface Size {
  readonly width: number
  readonly height: number
  /** Whether pictures of another size are resized, or end the attempt. */
  readonly resized: boolean
}

async function write(
  path: string,
  samples: readonly Sample[],
  size: Size,
  options: PackOptions,
): Promise<Places> {
  const shape = [samples.length, size.height, size.width, options.color === 'grey' ? 1 : 3]
  const labels = labelsOf(samples)
  const names = Buffer.from(samples.map((sample) => sample.name).join('\n'))
  const entries: TensorEntry[] = [
    { name: 'labels', dtype: 'int32', shape: [labels.length] },
    { name: 'names', dtype: 'uint8', shape: [names.length] },
    { name: 'digests', dtype: 'uint8', shape: [samples.length, digestLength] },
    { name: 'pixels', dtype: 'uint8', shape },
  ]
  const prefix = makePrefix(entries, { format, color: options.color })
  const digests = {
    shape: [samples.length, digestLength],
    offset: prefix.length + labels.byteLength + names.length,
  }
  const pixels = { shape, offset: digests.offset + samples.length * digestLength }
  await writeAtomically(path, async (file) => {
    await writeWhole(file, Buffer.concat([prefix, new Uint8Array(labels.buffer), names]), 0)
    const digested = await writePixels(file, pixels.offset, samples, size, options)
    await writeWhole(file, digested, digests.offset)
  })
  return { pixels, digests }
}

/** Under a name of its own until it is whole: others may make the same pack, and a killed run leaves no half one. */
async function writeAtomically(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'w')
    try {
      await fill(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw asOutputError(path, error)
  }
}

function asOutputError(path: string, error: unknown): unknown {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (error instanceof FerError || !code?.startsWith('E') || code.startsWith('ERR_')) return error
  const cure = 'Free space there, or name another folder in the environment variable FER_TORCH_CACHE'
  return new FerError('ERR_OUTPUT', `Cannot write the packed pictures to \`${path}\`: ${message}. ${cure}`, {
    cause: error,
  })
}

/** One write may take less than it is given. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

async function writePixels(
  file: FileHandle,
  offset: number,
  samples: readonly Sample[],
  size: Size,
  options: PackOptions,
): Promise<Uint8Array> {
  const digests = new Uint8Array(samples.length * digestLength)
  let done = 0
  await pMap(
    samples,
    async (sample, index) => {
      const picture = checkPicture(await sample.read())
      digests.set(digestOf(picture), index * digestLength)
      const pixels = await fitted(picture, size, options.color)
      await writeWhole(file, pixels, offset + index * pixels.length)
      options.onProgress?.(++done, samples.length)
    },
    { concurrency, ...(options.signal ? { signal: options.signal } : {}) },
  )
  return digests
}

/** Data sets may be the caller's own. */
function checkPicture(picture: Picture): Picture {
  const { data, width, height, channels } = picture ?? {}
  const isSide = (side: number) => Number.isSafeInteger(side) && side > 0
  const isWhole = isSide(width) && isSide(height) && data?.length === width * height * channels
  if ((channels === 1 || channels === 3) && isWhole && data instanceof Uint8Array) return picture
  throw new FerError(
    'ERR_BAD_DATA',
    'A sample of the data set was read as something that is not a picture. Make `read` give { data, width, height, channels } with a Uint8Array of width x height x channels values, channels 1 or 3',
  )
}

/** Colour first and then size, as prediction does it, so that both see the same pixels. */
async function fitted(picture: Picture, size: Size, color: Color): Promise<Uint8Array> {
  const { data, width, height, channels } = picture
  const same = width === size.width && height === size.height
  if (!same && !size.resized) throw new SizesDiffer()
  if (same && channels === (color === 'grey' ? 1 : 3)) return data
  const pixels = { dtype: 'uint8', shape: [1, height, width, channels], data } as const
  const colored = await settled(native.toColor(pixels, color))
  return (await settled(native.resize(colored, size.height, size.width))).data as Uint8Array
}
