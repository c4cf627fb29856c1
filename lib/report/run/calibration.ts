import { type Bin, reliabilityChart } from '../charts/reliability.js'
import { section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, fixed, percent } from '../page/numbers.js'
import { details, type Fact, factList, table } from '../page/parts.js'
import type { RunFacts } from './facts.js'
import { reliabilityOf } from './reliability.js'

/** How far the model's confidence can be trusted. */
export function calibrationSection(facts: RunFacts): Content {
  const bins = reliabilityOf(facts.answers)
  const chart = reliabilityChart(bins, 'reliability', 'Answers that are right, by their confidence')
  const words = html`<div>${factList(errors(facts), 'wide')}${explained(facts)}${binTable(bins)}</div>`
  return section('calibration', 'Calibration', html`<div class="pair">${chart}${words}</div>`)
}

function errors({ best, uncalibrated }: RunFacts): Fact[] {
  const { ece, nll } = best.metrics
  const asUsed: Fact[] = [
    ['Expected calibration error', percent(ece, 2)],
    ['Negative log-likelihood', fixed(nll)],
  ]
  if (!uncalibrated) return asUsed
  return [
    ...asUsed,
    ['Temperature', fixed(uncalibrated.temperature)],
    ['Calibration error without it', percent(uncalibrated.ece, 2)],
    ['Negative log-likelihood without it', fixed(uncalibrated.nll)],
  ]
}

const explained = ({ uncalibrated }: RunFacts): Html =>
  html`<p class="note">The calibration error is the mean distance between how sure the answers are and how often they are right,
over 15 bins.${uncalibrated ? ' The temperature, by which the logits are divided, was fitted to these very faces.' : ''}</p>`

const binTable = (bins: readonly Bin[]): Html =>
  details(
    'The same in numbers',
    table({
      caption: 'Answers by their confidence',
      head: ['Confidence', 'Faces', 'Mean confidence', 'Right'],
      rows: bins
        .filter(({ faces }) => faces > 0)
        .map(({ from, to, faces, confidence, accuracy }) => [
          `${percent(from, 0)} to ${percent(to, 0)}`,
          count(faces),
          percent(confidence),
          percent(accuracy),
        ]),
    }),
  )
