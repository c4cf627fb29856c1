import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { endianness } from 'node:os'
import sharp, { type Metadata } from 'sharp'
import type { Picture } from '../datasets/dataset.js'
import { FerError, plain } from '../errors.js'
import { steady } from '../options/check.js'

// Transparent parts become mid-grey: near the mean that models subtract, so a cut-out gains the weakest edge.
const background = { r: 128, g: 128, b: 128 }

/** Other versions may decode to other pixels. */
export const decoderVersion: string = sharp.versions.vips

const replaceIt = 'Remove it or replace it with a JPEG, PNG or WebP picture.'

/** Pixels, 400 MB in colour: a few bytes can claim any number of them. Cameras of phones make 108 million. */
const mostPixels = 2 ** 27
/** Bytes of a file. */
const largestFile = 2 ** 29
// What sharp calls the formats that its published binaries decode. Of the others, an SVG is a program: a few bytes
// keep a processor busy for minutes.
const formats: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']

/**
 * Decodes a file, or encoded bytes, to upright 8-bit pixels: one channel where the file stores greyscale, with or
 * without alpha, and sRGB otherwise (a palette is sRGB even if all its colours are grey).
 *
 * EXIF orientation and embedded colour profiles are applied; transparency is laid over mid-grey (128); of an
 * animation or a multi-page file, the first. 16-bit values v become round(v / 257).
 * Rejects with ERR_BAD_IMAGE, naming the file (`name` where bytes are given), also where data is cut short.
 */
export async function decode(source: string | Uint8Array, name?: string): Promise<Picture> {
  const label = name ?? (typeof source === 'string' ? source : 'the given bytes')
  const bytes = typeof source === 'string' ? await readBytes(source, label) : steady(source, label)
  if (bytes.length === 0) throw badImage(label, 'it is empty (0 bytes)', replaceIt)
  return toPicture(bytes).catch((cause) => {
    throw undecodable(label, cause)
  })
}

/** Whether the file stores greyscale, from what sharp tells of its header. */
export function isGreyscale({ space }: Metadata): boolean {
  return space === 'b-w' || space === 'grey16'
}

// Bytes rather than a path: libvips may answer a path from its cache after the file has changed.
async function readBytes(path: string, label: string): Promise<Uint8Array> {
  const file = await openFile(path, label)
  try {
    const found = await file.stat()
    if (found.isDirectory()) throw badImage(label, 'it is a folder', 'Give the path of a picture.')
    if (!found.isFile())
      throw badImage(label, 'it is not a file', 'Give its bytes, or the path of a picture.')
    if (found.size > largestFile)
      throw badImage(label, `it has ${found.size} bytes, more than ${largestFile}`, replaceIt)
    return await readSize(file, found.size)
  } catch (cause) {
    throw cause instanceof FerError ? cause : unreadable(label, cause as Error)
  } finally {
    await file.close()
  }
}

// No more than it had when it was opened: some files of /proc claim no size and have no end.
async function readSize(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size)
  let done = 0
  for (let count = 1; count > 0 && done < size; done += count)
    count = (await file.read(bytes, done, size - done, done)).bytesRead
  return bytes.subarray(0, done)
}

// Without O_NONBLOCK, opening a pipe that nobody writes to takes forever, and one of libuv's few threads with it.
const openFile = (path: string, label: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? badImage(label, 'it does not exist', 'Check the path.', cause)
      : unreadable(label, cause)
  })

const unreadable = (label: string, cause: Error): FerError =>
  badImage(label, plain(cause.message, 300), 'Check that the file can be read.', cause)

async function toPicture(bytes: Uint8Array): Promise<Picture> {
  // `warning` also refuses data that libjpeg fills in with grey where it is missing.
  // A view: sharp does not know an array from another realm.
  const image = sharp(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
    failOn: 'warning',
    limitInputPixels: mostPixels,
  })
  const header = await image.metadata()
  if (!formats.includes(header.format)) throw new Error(`unsupported image format ${header.format}`)
  const grey = isGreyscale(header)
  const wide = header.depth === 'ushort'
  const { data, info } = await image
    .autoOrient()
    .flatten({ background })
    .toColourspace(wide ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb')
    .raw({ depth: wide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const pixels = wide ? narrowed(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { data: pixels, width: info.width, height: info.height, channels: grey ? 1 : 3 }
}

// libvips' own way from 16 bits to 8 is off by one level in one value of six.
function narrowed({ buffer, byteOffset, length }: Buffer): Uint8Array {
  const levels = new Uint8Array(length / 2)
  const values = new DataView(buffer, byteOffset, length)
  for (let i = 0; i < levels.length; i++)
    levels[i] = Math.round(values.getUint16(2 * i, endianness() === 'LE') / 257)
  return levels
}

function undecodable(label: string, cause: Error): FerError {
  const [reason = ''] = cause.message.split('\n')
  if (/unsupported image format/.test(reason)) {
    return badImage(label, 'it is not a picture of a known format', replaceIt, cause)
  }
  if (/pixel limit/.test(reason)) {
    return badImage(label, 'it has more pixels than can be decoded safely', 'Scale it down.', cause)
  }
  return badImage(label, `it is truncated or damaged (${reason})`, replaceIt, cause)
}

function badImage(label: string, reason: string, cure: string, cause?: Error): FerError {
  const name = label === 'the given bytes' ? label : `\`${plain(label, 1000)}\``
  return new FerError('ERR_BAD_IMAGE', `Cannot read ${name}: ${reason}. ${cure}`, { cause })
}
