import sharp from 'sharp'
import type { Picture } from '../../datasets/dataset.js'

/** Side of the square that a thumbnail fits in, in pixels; smaller pictures keep their size. */
const side = 96

/** The picture as a JPEG within a data URI: a tenth of a PNG, and a page has two dozen. */
export async function thumbnail({ data, width, height, channels }: Picture): Promise<string> {
  const jpeg = await sharp(data, { raw: { width, height, channels } })
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg({ quality: 90 })
    .toBuffer()
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`
}
