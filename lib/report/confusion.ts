import { colors, text } from './drawing.js'

/** Rows are the truth, columns the prediction. */
export interface Confusion {
  readonly classes: readonly string[]
  readonly confusion: readonly (readonly number[])[]
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Room for the names of the classes, in pixels. */
const rowLabels = 124
const columnLabels = 52

/** The counts, shaded by the fraction of their row, as SVG that fills `box`. */
export function drawConfusion({ classes, confusion }: Confusion, box: Box): string {
  const left = box.left + rowLabels
  const top = box.top + columnLabels
  const width = (box.right - left) / classes.length
  const height = (box.bottom - top) / classes.length
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, predicted) =>
      drawCell(
        count,
        total,
        {
          left: left + predicted * width,
          top: top + truth * height,
          right: left + (predicted + 1) * width,
          bottom: top + (truth + 1) * height,
        },
        truth === predicted,
      ),
    )
  })
  return [
    text('predicted', {
      x: (left + box.right) / 2,
      y: box.top + 12,
      size: 16,
      weight: 600,
      anchor: 'middle',
    }),
    text('truth', {
      x: box.left + 12,
      y: (top + box.bottom) / 2,
      size: 16,
      weight: 600,
      anchor: 'middle',
      turn: -90,
    }),
    ...classes.map((name, index) =>
      text(name, {
        x: left + (index + 0.5) * width,
        y: top - 10,
        size: 14,
        anchor: 'middle',
        width: width - 4,
      }),
    ),
    ...classes.map((name, index) =>
      text(name, {
        x: left - 10,
        y: top + (index + 0.5) * height + 5,
        size: 14,
        anchor: 'end',
        width: rowLabels - 38,
      }),
    ),
    ...cells,
  ].join('')
}

function drawCell(count: number, total: number, { left, top, right, bottom }: Box, correct: boolean): string {
  const fraction = total > 0 ? count / total : 0
  const fill = correct ? colors.shade : colors.wrong
  const square = `<rect x="${left + 1}" y="${top + 1}" width="${right - left - 2}" height="${bottom - top - 2}" rx="3"`
  const [x, y] = [(left + right) / 2, (top + bottom) / 2]
  const color = fraction > 0.5 ? colors.paper : count ? colors.ink : '#aab3bd'
  const width = right - left - 8
  const number = text(String(count), {
    x,
    y: y + (count ? 2 : 6),
    size: 18,
    weight: count ? 600 : 400,
    anchor: 'middle',
    color,
    width,
  })
  const share = count
    ? text(`${(100 * fraction).toFixed(0)} %`, { x, y: y + 20, size: 12, anchor: 'middle', color, width })
    : ''
  return `${square} fill="#f3f5f7"/>${square} fill="${fill}" fill-opacity="${Math.sqrt(fraction).toFixed(3)}"/>${number}${share}`
}
