import { line } from 'd3-shape'
import { type Content, type Html, html } from '../page/html.js'
import { isNumber } from '../page/numbers.js'
import { light } from '../page/palette.js'
import { figure } from './figure.js'
import { type Axis, type Frame, makeFrame, place } from './frame.js'

type Point = readonly [x: number, y: number]

export interface Line {
  readonly name: Content
  /** By epoch; a gap where a value is not known. */
  readonly points: readonly (readonly [epoch: number, value: number | undefined])[]
}

export interface LineChart {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly lines: readonly Line[]
  readonly form: Axis['form']
  /** A point to look at. */
  readonly mark?: { readonly point: Point; readonly label: string } | undefined
}

/** Where no line has more points, they are shown one by one. */
const mostDots = 25

/** Values over epochs; a line is known by its colour and by its dashes. */
export function lineChart({ lines, form, mark, ...rest }: LineChart): Html {
  const known = [...lines.flatMap(({ points }) => points).filter(isKnown), ...(mark ? [mark.point] : [])]
  const [epochs, values] = [known.map(([epoch]) => epoch), known.map(([, value]) => value)]
  const frame = makeFrame('epoch', axisOf(epochs, 'whole'), axisOf(values, form))
  const dotted = lines.every(({ points }) => points.length <= mostDots)
  const picture = html`${frame.markup}${lines.map(({ points }, i) => drawLine(points, frame, i, dotted))}${mark && drawMark(mark, frame)}`
  return figure({ ...rest, picture, ...(lines.length > 1 || mark ? { caption: keyOf(lines, mark) } : {}) })
}

const isKnown = (point: Line['points'][number]): point is Point => isNumber(point[1])

/** From the least to the largest, but so wide that a tick has few digits; rates stay within 0 and 1. */
function axisOf(values: readonly number[], form: Axis['form']): Axis {
  if (values.length === 0) return { domain: [0, 1], form }
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  const more = Math.max((leastWidth(form, high) - (high - low)) / 2, 0)
  const within = (value: number) => (form === 'percent' ? Math.min(Math.max(value, 0), 1) : value)
  return { domain: [within(low - more), within(high + more)], form }
}

function leastWidth(form: Axis['form'], largest: number): number {
  if (form === 'whole') return 1
  if (form === 'percent') return 0.02
  return (form === 'small' ? 0.2 : 0.02) * Math.abs(largest) || 1
}

function drawLine(points: Line['points'], frame: Frame, index: number, dotted: boolean): Html {
  const places = points.map((point) => (isKnown(point) ? placeOf(point, frame) : undefined))
  const path = line<Place | undefined>(
    (at) => at![0],
    (at) => at![1],
  ).defined((at) => at !== undefined)
  const dots = dotted ? places.filter((at) => at !== undefined) : []
  return html`<path class="curve ${styleOf(index)}" d="${path(places) ?? ''}"${dashes(index)}/>
${dots.map(([left, top]) => html`<circle class="dot-${index % light.series.length}" cx="${left}" cy="${top}" r="2.5"/>`)}`
}

type Place = readonly [left: number, top: number]

const placeOf = ([epoch, value]: Point, { x, y }: Frame): Place => [place(x(epoch)), place(y(value))]

function drawMark({ point, label }: NonNullable<LineChart['mark']>, frame: Frame): Html {
  const [left, top] = placeOf(point, frame)
  return html`<circle class="mark" cx="${left}" cy="${top}" r="4.5"><title>${label}</title></circle>`
}

/** The names of the lines, outside of the picture so that they stay legible where it is small. */
const keyOf = (lines: readonly Line[], mark: LineChart['mark']): Html =>
  html`<ul class="key">${lines.map(({ name }, i) => keyItem(html`<path class="curve ${styleOf(i)}" d="M1 6H27"${dashes(i)}/>`, name))}
${mark && keyItem(html`<circle class="mark" cx="14" cy="6" r="4.5"/>`, mark.label)}</ul>`

const keyItem = (sign: Html, name: Content): Html =>
  html`<li><svg class="chart sign" width="28" height="12" aria-hidden="true">${sign}</svg>${name}</li>`

const styleOf = (index: number): string => `series-${index % light.series.length}`

const patterns = ['', '6 4', '2 4', '9 3 2 3']

/** When the colours begin anew, the patterns go on by one: of 32 lines no two are alike. */
function dashes(index: number): Content {
  const round = Math.floor(index / light.series.length)
  const pattern = patterns[(index + round) % patterns.length]
  return pattern ? html` stroke-dasharray="${pattern}"` : ''
}
