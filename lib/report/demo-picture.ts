import sharp, { type OverlayOptions } from 'sharp'
import type { Picture } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { drawConfusion } from './confusion.js'
import { colors, text } from './drawing.js'

/** One face of the grid, with what it shows and what the model said. */
export interface JudgedFace {
  readonly picture: Picture
  readonly truth: string
  readonly predicted: string
  /** The model's probability for `predicted`, 0 to 1. */
  readonly confidence: number
}

export interface DemoPicture {
  /** Up to 40 are shown, eight a row. */
  readonly faces: readonly JudgedFace[]
  readonly classes: readonly string[]
  /** (classes, classes) counts: rows are the truth, columns the prediction. */
  readonly confusion: readonly (readonly number[])[]
  /** 0 to 1. */
  readonly accuracy: number
  /** Where the PNG is written. */
  readonly output: string
}

/** In pixels. The matrix is square and as high as the grid. */
export const layout = {
  width: 1836,
  height: 860,
  margin: 40,
  heading: 116,
  columns: 8,
  rows: 5,
  cell: { width: 126, height: 142 },
  face: 96,
} as const

/** Writes one PNG: judged faces on the left, the confusion matrix on the right. Rejects with ERR_OUTPUT. */
export async function drawDemoPicture(demo: DemoPicture): Promise<void> {
  const shown = demo.faces.slice(0, layout.columns * layout.rows)
  const page = sharp(Buffer.from(drawPage(demo, shown)))
  const overlays = await Promise.all(shown.map(overlayOf))
  try {
    await page.composite(overlays).removeAlpha().png().toFile(demo.output)
  } catch (cause) {
    throw new FerError('ERR_OUTPUT', `Cannot write the picture ${demo.output}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

function drawPage(demo: DemoPicture, shown: readonly JudgedFace[]): string {
  const { width, height, margin, heading, columns, cell } = layout
  const left = margin + columns * cell.width + 56
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`,
    `<rect width="${width}" height="${height}" fill="${colors.paper}"/>`,
    drawHeading(demo),
    ...shown.map(drawCaption),
    drawConfusion(demo, { left, top: heading, right: width - margin, bottom: height - margin }),
    '</svg>',
  ].join('')
}

function drawHeading({ accuracy, confusion }: DemoPicture): string {
  const { margin } = layout
  const counted = confusion.flat().reduce((sum, count) => sum + count, 0)
  const correct = confusion.reduce((sum, row, index) => sum + (row[index] ?? 0), 0)
  const title = `${(100 * accuracy).toFixed(1)} % of ${counted.toLocaleString('en')} faces recognised`
  const note = `${correct.toLocaleString('en')} right, ${(counted - correct).toLocaleString('en')} wrong, on people the model never saw. Under each face: what the model said and how sure it was; red: wrong, with the truth.`
  return (
    text(title, { x: margin, y: 58, size: 30, weight: 700 }) +
    text(note, { x: margin, y: 88, size: 16, color: colors.quiet })
  )
}

function placeOf(index: number): { left: number; top: number } {
  const { margin, heading, columns, cell, face } = layout
  return {
    left: margin + (index % columns) * cell.width + Math.floor((cell.width - face) / 2),
    top: heading + Math.floor(index / columns) * cell.height,
  }
}

function drawCaption({ truth, predicted, confidence }: JudgedFace, index: number): string {
  const { left, top } = placeOf(index)
  const { face } = layout
  const x = left + face / 2
  const width = layout.cell.width - 4
  const wrong = truth !== predicted
  const color = wrong ? colors.wrong : colors.right
  const frame = `<rect x="${left - 3}" y="${top - 3}" width="${face + 6}" height="${face + 6}" rx="4" fill="${wrong ? color : colors.line}"/>`
  const sure = `${Math.round(100 * confidence)} %`
  return [
    frame,
    text(`${wrong ? '✗' : '✓'} ${predicted}`, {
      x,
      y: top + face + 19,
      size: 14,
      weight: 600,
      anchor: 'middle',
      color,
      width,
    }),
    text(wrong ? `is ${truth} · ${sure}` : sure, {
      x,
      y: top + face + 35,
      size: 12,
      anchor: 'middle',
      color: wrong ? color : colors.quiet,
      width,
    }),
  ].join('')
}

async function overlayOf({ picture }: JudgedFace, index: number): Promise<OverlayOptions> {
  const { data, width, height, channels } = picture
  const input = await sharp(data, { raw: { width, height, channels } })
    .resize(layout.face, layout.face, { fit: 'fill' })
    .toColourspace('srgb')
    .png()
    .toBuffer()
  return { input, ...placeOf(index) }
}
