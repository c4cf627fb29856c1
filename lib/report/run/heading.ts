import { type Content, type Html, html } from '../page/html.js'
import { count, fixed, interval, percent } from '../page/numbers.js'
import { factList, name } from '../page/parts.js'
import type { RunFacts } from './facts.js'

/** The name of the run and how good it became. */
export function heading(facts: RunFacts): Html {
  const { accuracy, samples, intervals } = facts.best.metrics
  return html`<header>
<p class="kind">fer-torch training run</p>
<h1>${name(facts.name)}</h1>
<p class="lead"><strong>${percent(accuracy)}</strong> of ${count(samples)} validation faces right; 95 % interval ${interval(intervals.accuracy)}</p>
<p class="note">These faces also chose the epoch: for an unbiased figure, evaluate the model on a test split. The interval is of
the choice of faces alone.</p>
${stopNote(facts)}
${tiles(facts)}
</header>`
}

const stopNote = ({ stopped, epochs, plannedEpochs }: RunFacts): Content =>
  stopped && html`<p class="note">Stopped after ${epochs.length} of ${plannedEpochs} epochs: ${stopped}.</p>`

function tiles({ best, epochs, plannedEpochs }: RunFacts): Html {
  const { metrics, epoch, weights } = best
  return factList(
    [
      ['Mean class accuracy', percent(metrics.meanClassAccuracy)],
      ['Macro F1', percent(metrics.macroF1)],
      ['Negative log-likelihood', fixed(metrics.nll)],
      ['Calibration error', percent(metrics.ece)],
      ['Best epoch', `${epoch}${weights === 'averaged' ? ', average' : ''}`],
      ['Epochs trained', `${epochs.length} of ${plannedEpochs}`],
    ],
    'tiles',
  )
}
