import sharp, { type Sharp } from 'sharp'
import type { Picture } from '../datasets/dataset.js'
import { randomOf } from '../datasets/synthetic/random.js'
import { decode } from './decode.js'
import { addNoise } from './noise.js'

/** Worsens a picture; what is drawn at random is drawn from the key alone. */
export type Degrade = (picture: Picture, key: number) => Promise<Picture>

/** Pixels of the side that blur is given for. */
const blurredAt = 112
/** Below this libvips, and the eye, sees no difference. In pixels of the picture. */
const leastSigma = 0.3
const mostSigma = 1000
/** Where a Gaussian is cut off, as a part of its height. */
const leastAmplitude = 0.01
/** Between black and white, and near the mean that models subtract. */
const midGrey = 128

export const longerSide = ({ width, height }: Pick<Picture, 'width' | 'height'>): number =>
  Math.max(width, height)

/** The longer side shrunk to so many pixels, antialiased, as a camera farther away would have seen it. */
export const shrink =
  (side: number): Degrade =>
  (picture) => {
    const scaled = (length: number) => Math.max(Math.round((length * side) / longerSide(picture)), 1)
    const [width, height] = [scaled(picture.width), scaled(picture.height)]
    return changed(picture, (image) => image.resize(width, height, { fit: 'fill', kernel: 'linear' }))
  }

/** In pixels of the picture itself, what `sigma` is of one whose longer side has 112. */
const ownSigma = (picture: Pick<Picture, 'width' | 'height'>, sigma: number): number =>
  Math.min((sigma * longerSide(picture)) / blurredAt, mostSigma)

export const isBlurred = (picture: Pick<Picture, 'width' | 'height'>, sigma: number): boolean =>
  ownSigma(picture, sigma) >= leastSigma

/** A Gaussian. libvips' default, in integers, makes pictures lighter by some levels. */
export const blur =
  (sigma: number): Degrade =>
  (picture) =>
    changed(picture, (image) =>
      rounded(
        image.blur({
          sigma: ownSigma(picture, sigma),
          precision: 'float',
          minAmplitude: leastAmplitude,
        }),
      ),
    )

/** Gaussian noise of that deviation, in levels of 0 to 255, on every value by itself. */
export const noise =
  (deviation: number): Degrade =>
  async ({ data, ...size }, key) => ({ ...size, data: await addNoise(data, deviation, key) })

/** Written as a JPEG, its colours at half the resolution as most programs do, and read again. */
export const compress =
  (quality: number): Degrade =>
  async (picture) =>
    decode(await opened(picture).jpeg({ quality }).toBuffer())

/** A mid-grey block, shaped as the picture, over that part of its area, at a place drawn at random. */
export const occlude =
  (part: number): Degrade =>
  async (picture, key) => {
    const { width, height, channels } = picture
    const [across, down] = [Math.round(width * Math.sqrt(part)), Math.round(height * Math.sqrt(part))]
    const random = randomOf(key)
    const left = Math.floor(random.uniform('left', 0, width - across + 1))
    const top = Math.floor(random.uniform('top', 0, height - down + 1))
    const data = picture.data.slice()
    for (let row = top; row < top + down; row++) {
      const start = (row * width + left) * channels
      data.fill(midGrey, start, start + across * channels)
    }
    return { ...picture, data }
  }

/** Every value times the factor, at most 255. */
export const brighten =
  (factor: number): Degrade =>
  (picture) =>
    changed(picture, (image) => image.linear(factor, 0.5))

/** Rows give R, G and B of the new picture from those of the old one. */
export type ColorMatrix = readonly [Row, Row, Row]
type Row = readonly [red: number, green: number, blue: number]

/** Of a picture in colour. */
export const recolor =
  (matrix: ColorMatrix): Degrade =>
  (picture) => {
    const [red, green, blue] = matrix
    return changed(picture, (image) => rounded(image.recomb([[...red], [...green], [...blue]])))
  }

/** libvips cuts off what floats are above a level. */
const rounded = (image: Sharp): Sharp => image.linear(1, 0.5)

const opened = ({ data, width, height, channels }: Picture): Sharp =>
  sharp(data, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb')

async function changed(picture: Picture, change: (image: Sharp) => Sharp): Promise<Picture> {
  const image = change(opened(picture)).raw()
  const { data, info } = await image.toBuffer({ resolveWithObject: true })
  const { buffer, byteOffset, length } = data
  const pixels = new Uint8Array(buffer, byteOffset, length)
  return { data: pixels, width: info.width, height: info.height, channels: picture.channels }
}
