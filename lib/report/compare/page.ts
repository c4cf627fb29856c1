import { type LineChart, lineChart } from '../charts/lines.js'
import { shown } from '../fields.js'
import { makePage, section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, counted, fixed, interval, minutes, percent, unknown } from '../page/numbers.js'
import { name, plainName, table } from '../page/parts.js'
import type { ComparedRun, Comparison } from './comparison.js'
import type { MeasuredEpoch } from './epoch.js'

/** Runs side by side in one page, whole in itself. */
export function renderComparison(comparison: Comparison): string {
  const { runs } = comparison
  return makePage(`Runs compared: ${runs.map(({ label }) => plainName(label)).join(', ')}`, [
    html`<header><p class="kind">fer-torch</p><h1>${counted(runs.length, 'training run')}</h1>${warning(comparison)}</header>`,
    section('curves', 'Curves', html`<div class="pair">${charts(runs)}</div>`),
    section('results', 'Results', results(runs)),
    runs.length > 1 ? section('options', 'What differs', differences(comparison)) : undefined,
  ])
}

const warning = ({ validatedAlike }: Comparison): Html =>
  validatedAlike
    ? html`<p class="note">The faces that measured a run also chose its best epoch; an interval is of the choice of faces alone.</p>`
    : html`<p class="warning">These runs may have been validated on different faces, as the list of what differs tells: their accuracies
then say nothing of one another.</p>`

const charts = (runs: readonly ComparedRun[]): Content => [
  chart(runs, 'accuracy', 'Validation accuracy', 'percent', ({ accuracy }) => accuracy),
  chart(runs, 'nll', 'Validation loss, in nats', 'number', ({ nll }) => nll),
  chart(runs, 'loss', 'Training loss, as optimised', 'number', ({ loss }) => loss),
]

function chart(
  runs: readonly ComparedRun[],
  id: string,
  title: string,
  form: LineChart['form'],
  read: (epoch: MeasuredEpoch) => number | undefined,
): Html {
  const lines = runs.map(({ label, epochs }) => ({
    name: name(label),
    points: epochs.map((epoch) => [epoch.epoch, read(epoch)] as const),
  }))
  const told = (value: number | undefined) => (form === 'percent' ? percent(value) : fixed(value))
  const ends = runs.map(({ label, epochs }) => `${plainName(label)} ${told(epochs.map(read).at(-1))}`)
  return lineChart({ id, title, summary: `In the last epoch of each: ${ends.join('; ')}.`, lines, form })
}

/** What a column is called, and what it says of a run. */
type Fact = readonly [title: string, read: (run: ComparedRun) => Content]

const resultFacts: readonly Fact[] = [
  ['Best validation accuracy', ({ best }) => percent(best?.accuracy)],
  ['95 % interval', ({ best }) => interval(best?.interval)],
  [
    'Best epoch',
    ({ best }) => (best ? `${best.epoch}${best.weights === 'averaged' ? ', average' : ''}` : unknown),
  ],
  ['Negative log-likelihood', ({ best }) => fixed(best?.nll)],
  ['Calibration error', ({ best }) => percent(best?.ece)],
  ['Epochs trained', ({ epochs, ended }) => `${count(epochs.length)}${ended ? '' : ', not ended'}`],
  ['Time', (run) => minutes(run.minutes === undefined ? undefined : 60 * run.minutes)],
  ['Training images a second', ({ imagesPerSecond }) => fixed(imagesPerSecond, 0)],
]

/** A row a run: however many there are, the columns fit. */
const results = (runs: readonly ComparedRun[]): Html =>
  table({
    caption: 'At the best epoch, and what it took',
    kind: 'full runs',
    head: ['Run', ...resultFacts.map(([title]) => title)],
    rows: runs.map((run) => [name(run.label), ...resultFacts.map(([, read]) => read(run))]),
  })

/** A row an option: there may be many, with long values. */
function differences({ runs, differing }: Comparison): Html {
  if (differing.length === 0) return html`<p>Nothing that the runs wrote down.</p>`
  return table({
    caption: 'Options, data and versions',
    kind: 'full runs',
    head: ['Name', ...runs.map(({ label }) => name(label))],
    rows: differing.map((option) => [
      optionName(option),
      ...runs.map(({ begun }) => name(shown(begun.get(option) ?? unknown))),
    ]),
  })
}

/** A long one may go on in the next line after a dot. */
const optionName = (option: string): Html =>
  html`<bdi>${plainName(option)
    .split('.')
    .map((part, i) => html`${i > 0 ? html`.<wbr>` : ''}${part}`)}</bdi>`
