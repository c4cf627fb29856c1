import sharp from 'sharp'
import type { Picture } from '../../datasets/dataset.js'

/** Side of the square that a thumbnail fits in, in pixels; smaller pictures keep their size. */
const side = 96

/** The picture as a PNG within a data URI. */
export async function thumbnail({ data, width, height, channels }: Picture): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels } })
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png({ compressionLevel: 9 })
    .toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
