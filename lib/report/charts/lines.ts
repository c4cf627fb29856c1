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

/** Up to so many points a line are shown one by one. */
const mostDots = 25

/** Values over epochs; a line is known by its colour and by its dashes. */
export function lineChart({ lines, form, mark, ...rest }: LineChart): Html {
  const drawn = lines.map(({ name, points }) => ({ name, points: points.filter(isKnown) }))
  const all = drawn.flatMap(({ points }) => points)
  const frame = makeFrame(
    'epoch',
    {
      domain: spread(
        all.map(([epoch]) => epoch),
        0.5,
      ),
      form: 'whole',
    },
    {
      domain: spread(
        all.map(([, value]) => value),
        0.05,
      ),
      form,
    },
  )
  const picture = html`${frame.markup}${drawn.map(({ points }, i) => drawLine(points, frame, i))}${mark && drawMark(mark, frame)}`
  return figure({ ...rest, picture, ...(lines.length > 1 || mark ? { caption: keyOf(lines, mark) } : {}) })
}

const isKnown = (point: readonly [number, number | undefined]): point is Point => isNumber(point[1])

/** From the least to the largest; around a single value, some room. */
function spread(values: readonly number[], room: number): [number, number] {
  const [low, high] = [
    values.reduce((a, b) => Math.min(a, b), Infinity),
    values.reduce((a, b) => Math.max(a, b), -Infinity),
  ]
  if (low > high) return [0, 1]
  return low < high ? [low, high] : [low - room, high + room]
}

function drawLine(points: readonly Point[], { x, y }: Frame, index: number): Html {
  const at = points.map(([epoch, value]): [number, number] => [place(x(epoch)), place(y(value))])
  const dots = points.length > mostDots ? [] : at
  return html`<path class="curve ${styleOf(index)}" d="${line()(at) ?? ''}"${dashes(index)}/>
${dots.map(([left, top]) => html`<circle class="dot-${index % light.series.length}" cx="${left}" cy="${top}" r="2.5"/>`)}`
}

function drawMark({ point: [epoch, value], label }: NonNullable<LineChart['mark']>, { x, y }: Frame): Html {
  return html`<circle class="mark" cx="${place(x(epoch))}" cy="${place(y(value))}" r="4.5"><title>${label}</title></circle>`
}

/** The names of the lines, outside of the picture so that they stay legible where it is small. */
const keyOf = (lines: readonly Line[], mark: LineChart['mark']): Html =>
  html`<ul class="key">${lines.map(({ name }, i) => keyItem(html`<path class="curve ${styleOf(i)}" d="M1 6H27"${dashes(i)}/>`, name))}
${mark && keyItem(html`<circle class="mark" cx="14" cy="6" r="4.5"/>`, mark.label)}</ul>`

const keyItem = (sign: Html, name: Content): Html =>
  html`<li><svg class="chart sign" width="28" height="12" aria-hidden="true">${sign}</svg>${name}</li>`

const styleOf = (index: number): string => `series-${index % light.series.length}`

const patterns = ['', '6 4', '2 4', '9 3 2 3']

function dashes(index: number): Content {
  const pattern = patterns[index % patterns.length]
  return pattern ? html` stroke-dasharray="${pattern}"` : ''
}
