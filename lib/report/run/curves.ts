import { type Line, lineChart } from '../charts/lines.js'
import { section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { fixed, isNumber, percent } from '../page/numbers.js'
import { details, table } from '../page/parts.js'
import type { BestFacts, EpochFacts, RunFacts } from './facts.js'

/** How the run went, epoch by epoch. */
export function curveSection({ epochs, best }: RunFacts): Content {
  const charts = [accuracyChart(epochs, best), lossChart(epochs), rateChart(epochs)]
  return section('curves', 'Curves', html`<div class="pair">${charts}</div>`, numbers(epochs, best))
}

function accuracyChart(epochs: readonly EpochFacts[], { epoch, metrics }: BestFacts): Html {
  const lines = curves(epochs, {
    weights: ({ validation }) => validation.accuracy,
    'average of the weights': ({ averaged }) => averaged?.accuracy,
  })
  const last = epochs.at(-1)?.validation.accuracy
  return lineChart({
    id: 'accuracy',
    title: 'Validation accuracy',
    summary: `Best in epoch ${epoch}: ${percent(metrics.accuracy)}. The weights of the last epoch: ${percent(last)}.`,
    lines,
    form: 'percent',
    mark: { point: [epoch, metrics.accuracy], label: `best: epoch ${epoch}, ${percent(metrics.accuracy)}` },
  })
}

function lossChart(epochs: readonly EpochFacts[]): Html {
  const [first, last] = [epochs[0], epochs.at(-1)]
  return lineChart({
    id: 'loss',
    title: 'Loss, in nats',
    summary: `In training from ${fixed(first?.loss)} to ${fixed(last?.loss)}; on the validation faces from ${fixed(first?.validation.nll)} to ${fixed(last?.validation.nll)}.`,
    lines: curves(epochs, {
      'training, as optimised': ({ loss }) => loss,
      'validation, negative log-likelihood': ({ validation }) => validation.nll,
      'the same, average of the weights': ({ averaged }) => averaged?.nll,
    }),
    form: 'number',
  })
}

function rateChart(epochs: readonly EpochFacts[]): Content {
  const lines = curves(epochs, { 'learning rate': ({ learningRate }) => learningRate })
  if (lines.length === 0) return undefined
  // A run that was resumed right after an epoch does not know it of that one.
  const last = epochs.findLast(({ learningRate }) => isNumber(learningRate))
  const summary = `At the end of epoch ${last?.epoch}: ${last?.learningRate?.toPrecision(3)}.`
  return lineChart({ id: 'rate', title: 'Learning rate', summary, lines, form: 'small' })
}

type Reading = (epoch: EpochFacts) => number | undefined

/** Those that have a value in any epoch. */
const curves = (epochs: readonly EpochFacts[], readings: Readonly<Record<string, Reading>>): Line[] =>
  Object.entries(readings)
    .map(([name, read]) => ({ name, points: epochs.map((facts) => [facts.epoch, read(facts)] as const) }))
    .filter(({ points }) => points.some(([, value]) => isNumber(value)))

function numbers(epochs: readonly EpochFacts[], { epoch }: BestFacts): Html {
  const averages = epochs.some(({ averaged }) => averaged)
  const rows = epochs.map((facts) => [
    facts.epoch,
    fixed(facts.loss),
    percent(facts.validation.accuracy, 2),
    fixed(facts.validation.nll),
    ...(averages ? [percent(facts.averaged?.accuracy, 2), fixed(facts.averaged?.nll)] : []),
    fixed(facts.imagesPerSecond, 0),
  ])
  const head = [
    'Epoch',
    'Training loss',
    'Accuracy',
    'NLL',
    ...(averages ? ['Accuracy, average', 'NLL, average'] : []),
    'Images/s',
  ]
  const best = epochs.findIndex((facts) => facts.epoch === epoch)
  return details(
    'The same in numbers',
    table({ caption: 'Epoch by epoch, the best one bold', head, rows, best }),
  )
}
