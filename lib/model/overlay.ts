import sharp from 'sharp'
import type { Picture } from '../datasets/dataset.js'

export interface OverlaidMap {
  /** Row-major; its sign chooses the colour, its size, against the largest, how much of it. */
  readonly values: Float32Array
  readonly rows: number
  readonly columns: number
}

// Told apart by those who do not see red or green.
const positive = [240, 120, 0] as const
const negative = [0, 110, 230] as const
/** Of the strongest place: the face stays visible beneath. */
const strongest = 0.75

const smallestSide = 256
const largestSide = 1024

/** A PNG of the face in grey, the map laid over it; the longer side has so many pixels. */
export async function drawOverlay(
  face: Picture,
  map: OverlaidMap,
  side = Math.min(Math.max(face.width, face.height, smallestSide), largestSide),
): Promise<Buffer> {
  const { width, height } = scaled(face, side)
  const { data, channels } = face
  const base = sharp(data, { raw: { width: face.width, height: face.height, channels } })
    .resize(width, height, { fit: 'fill' })
    .greyscale()
    .toColourspace('srgb')
  const heat = await sharp(tinted(map), { raw: { width: map.columns, height: map.rows, channels: 4 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .png()
    .toBuffer()
  return base
    .composite([{ input: heat }])
    .png()
    .toBuffer()
}

function scaled({ width, height }: Picture, side: number) {
  const scale = side / Math.max(width, height)
  const length = (pixels: number) => Math.max(Math.round(pixels * scale), 1)
  return { width: length(width), height: length(height) }
}

/** RGBA, a pixel a place. */
function tinted({ values }: OverlaidMap): Uint8Array {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return Uint8Array.from(
    Array.from(values).flatMap((value) => [
      ...(value < 0 ? negative : positive),
      largest > 0 ? Math.round((255 * strongest * Math.abs(value)) / largest) : 0,
    ]),
  )
}
