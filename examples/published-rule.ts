import type { Evaluation } from 'fer-torch'
import { byClass, listed, type Order, shuffled } from './orders.js'
import { percent, table } from './table.js'

/** A way to measure one model on the same faces. */
export interface Way {
  readonly name: string
  readonly order: Order
  readonly affinity: 'batch' | 'ema'
  readonly batchSize: number
}

/** Faces that the official test code answers at once. */
const published = { affinity: 'batch', batchSize: 64 } as const

/** By the published rule, but for what is named; and one face at a time. */
export const waysWith = (seed: number): readonly Way[] => [
  { name: 'as published', order: listed, ...published },
  { name: 'as published, list shuffled', order: shuffled(seed), ...published },
  { name: 'as published, list sorted by class', order: byClass, ...published },
  { name: 'as published, batches of one', order: listed, ...published, batchSize: 1 },
  { name: 'running mean, one face at a time', order: listed, affinity: 'ema', batchSize: 1 },
]

export function tableOf(ways: readonly Way[], evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map(({ accuracy, intervals, meanClassAccuracy }, i) => [
    ways[i]!.name,
    percent(accuracy),
    intervals.accuracy.map(percent).join(' to '),
    percent(meanClassAccuracy),
  ])
  return table([['', 'accuracy', '95 % interval', 'mean class accuracy'], ...rows])
}

/** `evaluations` are those of `waysWith`, `labels` those of the test list. */
export function explanation(evaluations: readonly Evaluation[], labels: readonly number[]): string {
  const [asListed, mixed, sorted] = evaluations.map(({ accuracy }) => accuracy) as [number, number, number]
  const batches = batchesOf(labels)
  const ofOneClass = batches.filter((batch) => largestShare(batch) >= 0.9)
  return `By the published rule an answer takes in the mean of its batch, so it depends on the faces beside it. These rows
have the same weights and the same faces; only who shares a batch differs. A batch of one class moves all its answers
toward that class: ${ofOneClass.length} of the ${batches.length} batches of this test list have nine tenths or more of one class. Against the shuffled
list, its own order makes ${points(asListed - mixed)}, an order by class ${points(sorted - mixed)}. What an order gains is labels that leak
through the list, not faces recognised.

With the running mean of training (affinity \`ema\`, the default) an answer depends on its face alone, and no order and
no batch size changes it: report that row. The intervals say what other faces of the same kind might have given, not
what another training would reach.`
}

const points = (difference: number): string =>
  `${difference < 0 ? '-' : '+'}${(100 * Math.abs(difference)).toFixed(1)} points`

const batchesOf = (labels: readonly number[]): readonly (readonly number[])[] =>
  Array.from({ length: Math.ceil(labels.length / published.batchSize) }, (_, i) =>
    labels.slice(i * published.batchSize, (i + 1) * published.batchSize),
  )

const largestShare = (batch: readonly number[]): number =>
  Math.max(...batch.map((label) => batch.filter((other) => other === label).length)) / batch.length
