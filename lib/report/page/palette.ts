import { colors } from '../drawing.js'

/** The colours of a page; each text colour has a contrast of 4.5 with `paper` at least (WCAG 2.2, level AA). */
export interface Palette {
  readonly paper: string
  /** Behind what stands a little apart. */
  readonly panel: string
  readonly ink: string
  readonly quiet: string
  readonly line: string
  readonly right: string
  readonly wrong: string
  /** Of the lines of a chart, in their order. */
  readonly series: readonly string[]
}

export const light: Palette = {
  paper: colors.paper,
  panel: '#f3f5f7',
  ink: colors.ink,
  quiet: colors.quiet,
  line: colors.line,
  right: colors.shade,
  wrong: colors.wrong,
  series: [colors.shade, '#b35309', '#1f7a4d', '#a3216b', '#6246b5', '#0b7285', '#8a5a00', '#5b6673'],
}

export const dark: Palette = {
  paper: '#12161b',
  panel: '#1b2129',
  ink: '#e8ecf1',
  quiet: '#a5b0bc',
  line: '#39424d',
  right: '#79b0f2',
  wrong: '#ff8a80',
  series: ['#79b0f2', '#f0a35e', '#62c592', '#f08cc0', '#b7a3f5', '#5cc8da', '#d9b44a', '#a5b0bc'],
}

/** How much of `right` or `wrong` shades a cell at most, so that `ink` keeps its contrast on it. */
export const deepestShade = 0.45
