import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pMap from 'p-map'
import { settled } from '../calls.js'
import type { Color } from '../catalog.js'
import type { Picture, Sample, Split } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { type ImageSet, native, type TensorEntry } from '../native.js'
import { makePrefix, readHeader } from '../safetensors.js'
import { packFolder } from './cache.js'

/** To be raised with any change that alters a packed pixel. */
const version = 1
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

/**
 * The pictures of a split, decoded once and all of one size, as native code reads them: in place where they are in
 * memory already, else from a memory-mapped file in the cache, made if it is not there.
 */
export async function pack(split: Split, options: PackOptions): Promise<ImageSet> {
  const labels = Int32Array.from(split.samples, (sample) => sample.label)
  if (split.pixels) {
    const { data, shape } = split.pixels
    return new native.ImageSet({ dtype: 'uint8', shape, data }, labels)
  }
  const path = join(options.folder ?? packFolder(), `${keyOf(split, options)}.safetensors`)
  const place =
    (await findPixels(path, split.samples.length)) ?? (await makePack(path, split.samples, labels, options))
  return settled(() => new native.ImageSet({ path, ...place }, labels))
}

function keyOf(split: Split, { imageSize, color, augmented }: PackOptions): string {
  const parts = [version, split.fingerprint, imageSize, color, augmented]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

interface Place {
  readonly offset: number
  readonly shape: readonly number[]
}

async function findPixels(path: string, count: number): Promise<Place | undefined> {
  try {
    const { tensors, metadata } = await readHeader(path)
    const pixels = tensors.find((tensor) => tensor.name === 'pixels')
    const [faces, height = 0, width = 0, channels = 0] = pixels?.shape ?? []
    const isPictures = height > 0 && width > 0 && (channels === 1 || channels === 3)
    const fits = metadata.format === format && pixels?.dtype === 'uint8' && faces === count && isPictures
    return fits && pixels.shape.length === 4 ? pixels : undefined
  } catch {
    // Missing or damaged: it is only a cache, and made anew.
    return undefined
  }
}

/** Tries the pictures' own size; at the first that differs, begins again with the size asked for. */
async function makePack(
  path: string,
  samples: readonly Sample[],
  labels: Int32Array,
  options: PackOptions,
): Promise<Place> {
  const own = await samples[0]?.read()
  const side = Math.ceil(options.imageSize * (options.augmented ? margin : 1))
  const square = { width: side, height: side, resized: true }
  if (!own || Math.max(own.width, own.height) > options.imageSize * largestKept)
    return write(path, samples, labels, square, options)
  try {
    return await write(
      path,
      samples,
      labels,
      { width: own.width, height: own.height, resized: false },
      options,
    )
  } catch (error) {
    if (!(error instanceof SizesDiffer)) throw error
    return write(path, samples, labels, square, options)
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
  labels: Int32Array,
  size: Size,
  options: PackOptions,
): Promise<Place> {
  const shape = [samples.length, size.height, size.width, options.color === 'grey' ? 1 : 3]
  const names = Buffer.from(samples.map((sample) => sample.name).join('\n'))
  const entries: TensorEntry[] = [
    { name: 'labels', dtype: 'int32', shape: [labels.length] },
    { name: 'names', dtype: 'uint8', shape: [names.length] },
    { name: 'pixels', dtype: 'uint8', shape },
  ]
  const prefix = makePrefix(entries, { format, color: options.color })
  const offset = prefix.length + labels.byteLength + names.length
  await writeAtomically(path, async (file) => {
    await writeWhole(file, Buffer.concat([prefix, new Uint8Array(labels.buffer), names]), 0)
    await writePixels(file, offset, samples, size, options)
  })
  return { offset, shape }
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
): Promise<void> {
  let done = 0
  await pMap(
    samples,
    async (sample, index) => {
      const pixels = await fitted(await sample.read(), size, options.color)
      await writeWhole(file, pixels, offset + index * pixels.length)
      options.onProgress?.(++done, samples.length)
    },
    { concurrency, ...(options.signal ? { signal: options.signal } : {}) },
  )
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
  const { data, width, height, channels } = checkPicture(picture)
  const same = width === size.width && height === size.height
  if (!same && !size.resized) throw new SizesDiffer()
  if (same && channels === (color === 'grey' ? 1 : 3)) return data
  const pixels = { dtype: 'uint8', shape: [1, height, width, channels], data } as const
  const colored = await settled(native.toColor(pixels, color))
  return (await settled(native.resize(colored, size.height, size.width))).data as Uint8Array
}
