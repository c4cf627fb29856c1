import type { ClassMetrics, Metrics } from '../../metrics/index.js'
import { section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, interval, percent, unknown } from '../page/numbers.js'
import { name, table } from '../page/parts.js'

/** Class by class: what is taken for what, and how well each is found. */
export const classSection = ({ classes, confusion }: Metrics): Content =>
  section('classes', 'Classes', confusionTable(classes, confusion), ratesTable(classes, confusion))

function confusionTable(classes: readonly ClassMetrics[], confusion: Metrics['confusion']): Html {
  return html`<p class="note">A row is what the faces show, a column what the model answers; shares are of the row.</p>
<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix">
<table class="confusion"><caption>Confusion matrix</caption>
<thead><tr><th scope="col" class="left">true \\ answered</th>${classes.map((column) => html`<th scope="col">${name(column.name)}</th>`)}</tr></thead>
<tbody>${confusion.map((row, truth) => confusionRow(classes[truth]!, row, truth))}</tbody></table>
</div>`
}

function confusionRow({ name: truth, support }: ClassMetrics, row: readonly number[], index: number): Html {
  const cells = row.map((faces, answer) => {
    const share = support > 0 ? faces / support : 0
    const kind = answer === index ? html` class="hit"` : ''
    // The square root shows small shares too.
    return html`<td${kind} style="--share:${Math.sqrt(share).toFixed(3)}">${count(faces)} <small>${percent(share, 0)}</small></td>`
  })
  return html`<tr><th scope="row">${name(truth)}</th>${cells}</tr>`
}

const ratesTable = (classes: readonly ClassMetrics[], confusion: Metrics['confusion']): Html =>
  table({
    caption: 'Class by class',
    head: ['Class', 'Precision', 'Recall', 'Recall, 95 % interval', 'F1', 'Faces'],
    rows: classes.map((rates, index) => ratesRow(rates, answersOf(confusion, index))),
  })

/** Of no faces, or no answers, there is no share: the 0 that stands for it in the metrics would pass for a failure. */
function ratesRow(
  { name: label, precision, recall, recallInterval, f1, support }: ClassMetrics,
  answers: number,
): Content[] {
  const [isShown, isAnswered] = [support > 0, answers > 0]
  return [
    name(label),
    isAnswered ? percent(precision) : unknown,
    isShown ? percent(recall) : unknown,
    isShown ? interval(recallInterval) : unknown,
    isShown || isAnswered ? percent(f1) : unknown,
    count(support),
  ]
}

const answersOf = (confusion: Metrics['confusion'], index: number): number =>
  confusion.reduce((sum, row) => sum + row[index]!, 0)
