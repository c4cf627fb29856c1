import { type LineChart, lineChart } from '../charts/lines.js'
import { makePage, section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, fixed, interval, minutes, percent, unknown } from '../page/numbers.js'
import { name, plainName, table } from '../page/parts.js'
import type { ComparedRun, Comparison } from './comparison.js'
import type { MeasuredEpoch } from './epoch.js'

/** Runs side by side in one page, whole in itself. */
export function renderComparison(comparison: Comparison): string {
  const { runs } = comparison
  return makePage(`Runs compared: ${runs.map(({ folder }) => plainName(folder)).join(', ')}`, [
    html`<header><p class="kind">fer-torch</p><h1>${runs.length} training runs</h1>${warning(comparison)}</header>`,
    section('curves', 'Curves', html`<div class="pair">${charts(runs)}</div>`),
    section('results', 'Results', results(runs)),
    section('options', 'What differs', differences(comparison)),
  ])
}

const warning = ({ validatedAlike }: Comparison): Html =>
  validatedAlike
    ? html`<p class="note">The faces that measured these runs also chose their epochs; an interval is of the choice of faces alone.</p>`
    : html`<p class="warning">These runs may have been validated on different faces, as <code>validatedOn</code> and <code>validationFaces</code> below
tell: then their accuracies say nothing of one another.</p>`

const charts = (runs: readonly ComparedRun[]): Content => [
  chart(runs, 'accuracy', 'Validation accuracy', 'percent', ({ accuracy }) => accuracy),
  chart(runs, 'nll', 'Negative log-likelihood of the validation faces', 'number', ({ nll }) => nll),
  chart(runs, 'loss', 'Training loss, as optimised', 'number', ({ loss }) => loss),
]

function chart(
  runs: readonly ComparedRun[],
  id: string,
  title: string,
  form: LineChart['form'],
  read: (epoch: MeasuredEpoch) => number | undefined,
): Html {
  const lines = runs.map(({ folder, epochs }) => ({
    name: name(folder),
    points: epochs.map((epoch) => [epoch.epoch, read(epoch)] as const),
  }))
  const show = (value: number | undefined) => (form === 'percent' ? percent(value) : fixed(value))
  const ends = runs.map(({ folder, epochs }) => `${plainName(folder)} ${show(epochs.map(read).at(-1))}`)
  return lineChart({ id, title, summary: `In the last epoch of each: ${ends.join('; ')}.`, lines, form })
}

const results = (runs: readonly ComparedRun[]): Html =>
  sideBySide('Results', runs, {
    'Best validation accuracy': ({ best }) => percent(best?.accuracy),
    '95 % interval': ({ best }) => interval(best?.interval),
    'Best epoch': ({ best }) =>
      best ? `${best.epoch}${best.weights === 'averaged' ? ', average' : ''}` : unknown,
    'Negative log-likelihood': ({ best }) => fixed(best?.nll),
    'Calibration error': ({ best }) => percent(best?.ece),
    'Epochs trained': ({ epochs, ended }) => `${count(epochs.length)}${ended ? '' : ', not ended'}`,
    Time: (run) => minutes(run.minutes === undefined ? undefined : 60 * run.minutes),
    'Training images a second': ({ imagesPerSecond }) => fixed(imagesPerSecond, 0),
  })

function differences({ runs, differing }: Comparison): Html {
  if (differing.length === 0) return html`<p>Nothing that the runs wrote down.</p>`
  const rows = differing.map(
    (option) => [option, ({ begun }: ComparedRun) => name(begun.get(option) ?? unknown)] as const,
  )
  return sideBySide('Options, data and versions', runs, Object.fromEntries(rows))
}

/** A row a fact, a column a run. */
const sideBySide = (
  caption: string,
  runs: readonly ComparedRun[],
  facts: Readonly<Record<string, (run: ComparedRun) => Content>>,
): Html =>
  table({
    caption,
    head: ['', ...runs.map(({ folder }) => name(folder))],
    rows: Object.entries(facts).map(([label, read]) => [label, ...runs.map(read)]),
  })
