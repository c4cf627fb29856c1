import { type Html, html } from '../page/html.js'
import { counted, percent } from '../page/numbers.js'
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
    'On the dashed line a confidence is as often right as it says; bars that end below it are too sure. The thin bars: how many faces.'
  return figure({ id, title, summary: summaryOf(bins), picture, caption })
}

/** Of the thin bars, which tell how many faces: the height of the largest, and the width. */
const thin = { height: 40, width: 4 } as const

function drawBin({ from, to, faces, accuracy }: Bin, { x, y }: Frame, most: number): Html {
  const [left, right, top] = [place(x(from) + 1), place(x(to) - 1), place(y(accuracy))]
  const height = place((thin.height * faces) / most)
  const told = `${percent(from, 0)} to ${percent(to, 0)}: ${counted(faces, 'face')}, ${percent(accuracy)} right`
  return html`<g><title>${told}</title><rect class="bar" x="${left}" y="${top}" width="${place(right - left)}" height="${place(plot.bottom - top)}"/>
<rect class="count" x="${place((left + right - thin.width) / 2)}" y="${place(plot.bottom - height)}" width="${thin.width}" height="${height}"/></g>`
}

function summaryOf(bins: readonly Bin[]): string {
  const told = bins
    .filter(({ faces }) => faces > 0)
    .map(
      ({ confidence, accuracy, faces }) =>
        `${percent(confidence, 0)} sure, ${percent(accuracy, 0)} right (${counted(faces, 'face')})`,
    )
  return `Bin by bin: ${told.join('; ')}.`
}
