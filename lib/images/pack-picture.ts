import { settled } from '../calls.js'
import type { Color } from '../catalog.js'
import type { Picture } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { native } from '../native.js'

/** Room for shifting and turning, where training pictures are made smaller: an eighth. */
const margin = 1.125
/** Pictures of one size up to this much larger than the input are kept as they are. */
const largestKept = 1.25

export interface Size {
  readonly width: number
  readonly height: number
  /** Whether pictures of another size are resized, or end the attempt. */
  readonly resized: boolean
}

/** Thrown by `fitted` where a picture has another size than one that was to be kept. */
export class SizesDiffer extends Error {}

interface Input {
  /** Side of the square the network reads. */
  readonly imageSize: number
  readonly augmented: boolean
}

export function squareFor({ imageSize, augmented }: Input): Size {
  const side = Math.ceil(imageSize * (augmented ? margin : 1))
  return { width: side, height: side, resized: true }
}

/** The size itself where all pictures may have it and be kept so, else that of the square. */
export function sizeFor(own: { width: number; height: number } | undefined, input: Input): Size {
  const square = squareFor(input)
  if (!own || Math.max(own.width, own.height) > input.imageSize * largestKept) return square
  const { width, height } = own
  return { width, height, resized: false }
}

/** Data sets may be the caller's own. */
export function checkPicture(picture: Picture): Picture {
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
export async function fitted(picture: Picture, size: Size, color: Color): Promise<Uint8Array> {
  const { data, width, height, channels } = picture
  const same = width === size.width && height === size.height
  if (!same && !size.resized) throw new SizesDiffer()
  if (same && channels === (color === 'grey' ? 1 : 3)) return data
  const pixels = { dtype: 'uint8', shape: [1, height, width, channels], data } as const
  const colored = await settled(native.toColor(pixels, color))
  return (await settled(native.resize(colored, size.height, size.width))).data as Uint8Array
}
