import { readFile } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'
import type { Picture } from '../datasets/dataset.js'
import { FerError } from '../errors.js'

// Transparent parts become mid-grey: near the mean that models subtract, so a cut-out gains the weakest edge.
const background = { r: 128, g: 128, b: 128 }

const replaceIt = 'Remove it or replace it with a JPEG, PNG or WebP picture.'

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
  const bytes = typeof source === 'string' ? await readBytes(source, label) : source
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
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw badImage(label, 'it does not exist', 'Check the path.', cause)
    if (cause.code === 'EISDIR') throw badImage(label, 'it is a folder', 'Give the path of a picture.', cause)
    throw badImage(label, cause.message, 'Check that the file can be read.', cause)
  })
}

async function toPicture(bytes: Uint8Array): Promise<Picture> {
  // `warning` also refuses data that libjpeg fills in with grey where it is missing.
  const image = sharp(bytes, { failOn: 'warning' })
  const header = await image.metadata()
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
function narrowed(data: Buffer): Uint8Array {
  const values = new Uint16Array(new Uint8Array(data).buffer) // a copy begins at an even address
  return Uint8Array.from(values, (value) => Math.round(value / 257))
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
  const name = label === 'the given bytes' ? label : `\`${label}\``
  return new FerError('ERR_BAD_IMAGE', `Cannot read ${name}: ${reason}. ${cure}`, { cause })
}
