import { type Html, trusted } from './html.js'
import { dark, deepestShade, light, type Palette } from './palette.js'

/** The style sheet of every page: one column on a phone, the reader's own scheme of light or dark, ink on paper in print. */
export const style = (): Html =>
  trusted(`
:root { color-scheme: light dark; ${variables(light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(dark)} } }
@media print { :root { color-scheme: light; ${variables(light)} } }
${layout}${tables}${charts}${faces}${print}`)

function variables({ series, right, wrong, ...colors }: Palette): string {
  const named = Object.entries({ ...colors, right, wrong }).map(([name, color]) => `--${name}: ${color};`)
  const numbered = series.map((color, i) => `--series-${i}: ${color};`)
  const shades = [`--hit: ${channels(right)};`, `--miss: ${channels(wrong)};`]
  return [...named, ...numbered, ...shades].join(' ')
}

/** `#1f5fa8` as `31 95 168`. */
const channels = (color: string): string =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)).join(' ')

const layout = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
ul.note { overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { max-width: 46rem; margin: .5rem 0; overflow-wrap: anywhere; }
.kind, .note, figcaption, dt, summary { color: var(--quiet); }
.kind { margin: 0; font-size: .875rem; }
.note { font-size: .875rem; }
.warning { color: var(--wrong); font-weight: 600; }
.lead { font-size: 1.125rem; }
.lead strong { display: block; font-size: 3rem; line-height: 1.1; font-variant-numeric: tabular-nums; }
.pair { display: grid; gap: 1.5rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.pair > * { min-width: 0; }
dl { display: grid; gap: .25rem 1.5rem; margin: .5rem 0; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
dl > div { display: flex; gap: 1rem; justify-content: space-between; padding: .2rem 0; border-bottom: 1px solid var(--line);
  break-inside: avoid; }
dl.wide, dl.named { grid-template-columns: 1fr; }
dl.named > div { justify-content: flex-start; }
dl.named dt { flex: 0 0 9rem; }
dl.named dd { text-align: left; }
dl.tiles { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
dl.tiles > div { display: block; background: var(--panel); border: 0; border-radius: .5rem; padding: .6rem .8rem; }
dl.tiles dd { text-align: left; font-size: 1.25rem; }
dt { font-size: .875rem; }
dd { margin: 0; font-size: .875rem; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; font-size: .875rem; padding: .35rem 0; }
summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--right); outline-offset: 2px; }
`

const tables = `
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: separate; border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
table.full { width: 100%; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; }
/* Above the cells: a heading that stays in place would cover what is below the one before it. */
.full tbody > tr > * { border-top: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--quiet); vertical-align: bottom; }
.runs :is(th, td) { white-space: normal; min-width: 5rem; }
.runs tbody > tr > * { vertical-align: top; }
.runs th[scope=row] { min-width: 9rem; }
.runs bdi { overflow-wrap: anywhere; }
th[scope=row], th.left { text-align: left; position: sticky; left: 0; background: var(--paper); }
tr.best > * { font-weight: 700; }
table.confusion { border-spacing: 2px; }
table.confusion td { text-align: center; min-width: 3.5rem; border-radius: .25rem; line-height: 1.2;
  background: rgb(var(--miss) / calc(var(--share) * ${deepestShade})); print-color-adjust: exact; }
table.confusion td.hit { background: rgb(var(--hit) / calc(var(--share) * ${deepestShade})); font-weight: 700; }
table.confusion td small { display: block; font-weight: 400; }
@media (max-width: 40rem) { table.confusion { font-size: .75rem; } table.confusion :is(th, td) { padding: .25rem .35rem; min-width: 0; } }
table.confusion thead th { text-align: center; }
`

const charts = `
figure { margin: 0; break-inside: avoid; }
figure h3 { margin: 0 0 .25rem; }
figcaption { font-size: .875rem; }
svg.chart { display: block; width: 100%; height: auto; font-family: inherit; font-size: 12px; }
.chart text { fill: var(--quiet); }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart .axis { stroke: var(--quiet); stroke-width: 1; }
.chart .ideal { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 4; }
.chart .bar { fill: var(--series-0); fill-opacity: .6; }
.chart .count { fill: var(--ink); }
.chart .mark { fill: var(--paper); stroke: var(--ink); stroke-width: 2; }
.chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .25rem 0 0; padding: 0; }
.key li { display: flex; align-items: center; gap: .4rem; overflow-wrap: anywhere; }
.key svg.sign { flex: none; width: 28px; }
${light.series.map((_, i) => `.series-${i} { stroke: var(--series-${i}); } .dot-${i} { fill: var(--series-${i}); }`).join('\n')}
`

const faces = `
.faces { display: grid; gap: 1.25rem 1rem; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); list-style: none; margin: 1rem 0;
  padding: 0; }
.faces img, .faces .gone { display: block; width: 6rem; height: 6rem; object-fit: contain; background: var(--panel); border-radius: .375rem; }
.faces .gone { display: grid; place-items: center; color: var(--quiet); font-size: .75rem; text-align: center; padding: .5rem; }
.faces p { margin: .2rem 0 0; font-size: .8125rem; line-height: 1.3; overflow-wrap: anywhere; }
.faces .wrong { color: var(--wrong); font-weight: 600; }
.faces .name { color: var(--quiet); font-size: .75rem; }
.faces li { break-inside: avoid; }
`

const print = `
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 11pt; }
  .scroll { overflow: visible; break-inside: avoid; }
  details:not([open]) { display: none; }
  h2, h3 { break-after: avoid; }
  .pair { grid-template-columns: 1fr 1fr; }
}
`
