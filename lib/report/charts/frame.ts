import { type ScaleLinear, scaleLinear } from 'd3-scale'
import { type Content, html } from '../page/html.js'

/** In units of the picture, which is stretched to the width of its place: a phone's makes one about a pixel. */
export const size = { width: 400, height: 250 } as const

export interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The part of the picture within the axes; at its left is room for a tick such as `12.25 %`. */
export const plot: Box = { left: 60, right: size.width - 20, top: 10, bottom: size.height - 40 }

/** As d3-format names them; `number` has the digits that tell the ticks apart. */
const forms = { percent: '%', number: undefined, whole: 'd', small: '~e' } as const

export interface Axis {
  readonly domain: readonly [number, number]
  readonly form: keyof typeof forms
  /** What 0, 1, ... stand for, where they count things that have names. */
  readonly names?: readonly string[]
}

export interface Frame {
  readonly x: ScaleLinear<number, number>
  readonly y: ScaleLinear<number, number>
  /** Grid, ticks and what lies across. */
  readonly markup: Content
}

/**
 * The axes of a chart and what turns values into places. The domain of `y` grows to round values; what it shows is for
 * the heading to say, where it need not be read sideways.
 */
export function makeFrame(name: string, across: Axis, upward: Axis): Frame {
  const x = scaleLinear(across.domain, [plot.left, plot.right])
  const y = scaleLinear(upward.domain, [plot.bottom, plot.top]).nice(5)
  const markup = html`
${ticksOf(y, upward, 5).map(([at, label]) => html`<path class="grid" d="M${plot.left} ${at}H${plot.right}"/><text x="${plot.left - 6}" y="${at + 4}" text-anchor="end">${label}</text>`)}
<path class="axis" d="M${plot.left} ${plot.bottom}H${plot.right}"/>
${ticksOf(x, across, 6).map(([at, label]) => html`<path class="axis" d="M${at} ${plot.bottom}v4"/><text x="${at}" y="${plot.bottom + 17}" text-anchor="middle">${label}</text>`)}
<text x="${(plot.left + plot.right) / 2}" y="${size.height - 6}" text-anchor="middle">${name}</text>`
  return { x, y, markup }
}

function ticksOf(
  scale: ScaleLinear<number, number>,
  { form, names }: Axis,
  most: number,
): [number, string][] {
  if (names) return names.map((name, i) => [place(scale(i)), name])
  const label = scale.tickFormat(most, forms[form])
  const ticks = scale.ticks(most).filter((tick) => form !== 'whole' || Number.isInteger(tick))
  // `~e` would write zero as 0e+0.
  return ticks.map((tick) => [
    place(scale(tick)),
    tick === 0 && form === 'small' ? '0' : label(tick).replace('%', ' %'),
  ])
}

/** A tenth of a unit is finer than anyone sees. */
export const place = (value: number): number => Math.round(value * 10) / 10
