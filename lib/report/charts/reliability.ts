import { type Html, html } from '../page/html.js'
import { percent } from '../page/numbers.js'
import { figure } from './figure.js'
import { type Frame, makeFrame, place, plot } from './frame.js'

/** The faces that were answered with a confidence above `from`, up to `to`. */
export interface Bin {
  readonly from: number
  readonly to: number
  readonly faces: number
  /** Means over these faces, 0 where there are none. */
  readonly confidence: number
  readonly accuracy: number
}

/** How often answers are right, bin by bin, over how sure they are; beneath it, how many there are. */
export function reliabilityChart(bins: readonly Bin[], id: string, title: string): Html {
  const whole = { domain: [0, 1], form: 'percent' } as const
  const frame = makeFrame('confidence of the answer', whole, whole)
  const { x, y } = frame
  const most = Math.max(...bins.map(({ faces }) => faces))
  const picture = html`${frame.markup}
${bins.filter(({ faces }) => faces > 0).map((bin) => drawBin(bin, frame, most))}
<path class="ideal" d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}"/>`
  const caption =
    'On the dashed line a confidence is as often right as it says; bars below it are too sure. The small bars at the bottom: how many faces.'
  return figure({ id, title, summary: summaryOf(bins), picture, caption })
}

/** Height of the largest of the small bars. */
const countHeight = 22

function drawBin({ from, to, faces, accuracy }: Bin, { x, y }: Frame, most: number): Html {
  const [left, width] = [place(x(from)) + 1, place(x(to) - x(from)) - 2]
  const [top, height] = [place(y(accuracy)), place((countHeight * faces) / most)]
  return html`<rect class="bar" x="${left}" y="${top}" width="${width}" height="${place(plot.bottom - top)}"><title>${percent(from, 0)} to ${percent(to, 0)}: ${faces} faces, ${percent(accuracy)} right</title></rect>
<rect class="count" x="${left}" y="${place(plot.bottom - height)}" width="${width}" height="${height}"/>`
}

function summaryOf(bins: readonly Bin[]): string {
  const told = bins
    .filter(({ faces }) => faces > 0)
    .map(
      ({ confidence, accuracy, faces }) =>
        `${percent(confidence, 0)} sure, ${percent(accuracy, 0)} right (${faces} faces)`,
    )
  return `Bin by bin: ${told.join('; ')}.`
}
