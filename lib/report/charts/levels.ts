import { line } from 'd3-shape'
import type { Interval } from '../../metrics/bootstrap.js'
import { type Content, type Html, html } from '../page/html.js'
import { figure } from './figure.js'
import { type Frame, makeFrame, place, plot } from './frame.js'

/** What was measured at one level of something. */
export interface Level {
  /** Beneath the axis. */
  readonly tick: string
  /** What a pointer at it, and those who do not see the picture, are told. */
  readonly told: string
  readonly rate: number
  readonly interval: Interval
  /** The level that the others are held against: its rate goes across as a dashed line. */
  readonly reference?: boolean
}

export interface LevelChart {
  readonly id: string
  readonly title: string
  /** What the levels are, beneath the axis. */
  readonly across: string
  /** In the order of the axis, on which they stand evenly spaced. */
  readonly levels: readonly Level[]
  /** Whether they are amounts of one thing, with others between them. */
  readonly joined: boolean
  readonly caption?: Content
}

/** Rates from 0 to 1 with their intervals, level by level. All such charts have one scale, so that they can be compared. */
export function levelChart({ levels, across, joined, ...rest }: LevelChart): Html {
  const frame = makeFrame(
    across,
    { domain: [-0.5, levels.length - 0.5], form: 'whole', names: levels.map(({ tick }) => tick) },
    { domain: [0, 1], form: 'percent' },
  )
  const picture = html`${frame.markup}${levels.map((level) => drawReference(level, frame))}
${joined ? drawCurve(levels, frame) : ''}${levels.map((level, i) => drawLevel(level, i, frame))}`
  return figure({ ...rest, summary: `${levels.map(({ told }) => told).join('; ')}.`, picture })
}

const drawReference = ({ reference, rate }: Level, { y }: Frame): Content =>
  reference ? html`<path class="ideal" d="M${plot.left} ${place(y(rate))}H${plot.right}"/>` : undefined

function drawCurve(levels: readonly Level[], { x, y }: Frame): Html {
  const points = levels.map(({ rate }, i): [number, number] => [place(x(i)), place(y(rate))])
  return html`<path class="curve series-0" d="${line()(points) ?? ''}"/>`
}

/** Half the width of a whisker's ends. */
const cap = 4

function drawLevel({ rate, interval, told, reference }: Level, index: number, { x, y }: Frame): Html {
  const at = place(x(index))
  const [low, high] = interval.map((end) => place(y(end)))
  const kind = reference ? 'mark' : 'dot-0'
  return html`<g><title>${told}</title><path class="series-0" stroke-width="1.5" d="M${at - cap} ${high}h${2 * cap}M${at} ${high}V${low}M${at - cap} ${low}h${2 * cap}"/>
<circle class="${kind}" cx="${at}" cy="${place(y(rate))}" r="4"/></g>`
}
