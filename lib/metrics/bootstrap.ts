import type { Confusion } from './confusion.js'
import { multinomial } from './multinomial.js'

/** A metric's 95 % interval, both ends from 0 to 1. */
export type Interval = readonly [low: number, high: number]

/** Of the metrics over all classes. */
export interface Intervals {
  readonly accuracy: Interval
  readonly meanClassAccuracy: Interval
  readonly macroF1: Interval
}

export interface BootstrapIntervals extends Intervals {
  /** One a class; [0, 1] for a class without samples, of which nothing is known. */
  readonly recalls: readonly Interval[]
}

const resamples = 2000
/** The part of the resamples beyond either end. */
const tail = 0.025
const seed = 0

/**
 * 95 % intervals by the percentiles of a bootstrap (Efron 1979, doi 10.1214/aos/1176344552; Efron and Tibshirani 1993,
 * An Introduction to the Bootstrap, chapter 13): the metrics of 2000 samples of the same size, drawn from this one with
 * replacement. All that a metric takes from a sample is how often each (truth, prediction) occurs, so these counts are
 * drawn at once. The same matrix gives the same intervals.
 *
 * They are of the choice of faces alone: what another training would reach may lie elsewhere. Where all answers are
 * right, so are those of every resample, and the interval is [1, 1], too short for a class of few samples.
 */
export function bootstrap(confusion: Confusion): BootstrapIntervals {
  const cells = occupiedCells(confusion)
  const draw = multinomial(
    cells.map(({ count }) => count),
    seed,
  )
  const series = seriesOf(confusion.length)
  const tally = tallyOf(confusion.length)
  for (let i = 0; i < resamples; i++) record(series, count(tally, cells, draw()))
  return {
    accuracy: percentiles(series.accuracy),
    meanClassAccuracy: percentiles(series.meanClassAccuracy),
    macroF1: percentiles(series.macroF1),
    recalls: series.recalls.map(percentiles),
  }
}

interface Cell {
  readonly truth: number
  readonly prediction: number
  readonly count: number
}

/** The others stay empty in every resample. */
const occupiedCells = (confusion: Confusion): Cell[] =>
  confusion.flatMap((row, truth) =>
    row.map((count, prediction) => ({ truth, prediction, count })).filter(({ count }) => count > 0),
  )

/** By class: right answers, samples, predictions. */
const tallyOf = (classCount: number) => ({
  hits: new Int32Array(classCount),
  support: new Int32Array(classCount),
  predicted: new Int32Array(classCount),
})
type Tally = ReturnType<typeof tallyOf>

function count(tally: Tally, cells: readonly Cell[], drawn: Int32Array): Tally {
  for (const counts of Object.values(tally)) counts.fill(0)
  cells.forEach(({ truth, prediction }, i) => {
    tally.support[truth]! += drawn[i]!
    tally.predicted[prediction]! += drawn[i]!
    if (truth === prediction) tally.hits[truth]! += drawn[i]!
  })
  return tally
}

/** What each metric was in the resamples; of recalls, in those that hold the class. */
const seriesOf = (classCount: number) => ({
  accuracy: [] as number[],
  meanClassAccuracy: [] as number[],
  macroF1: [] as number[],
  recalls: Array.from({ length: classCount }, (): number[] => []),
})

/** As `classRates` and its like, without an object a class. */
function record(series: ReturnType<typeof seriesOf>, { hits, support, predicted }: Tally): void {
  const sums = { present: 0, hits: 0, support: 0, recall: 0, f1: 0 }
  for (let index = 0; index < hits.length; index++) {
    if (support[index] === 0) continue
    const recall = hits[index]! / support[index]!
    series.recalls[index]!.push(recall)
    sums.present++
    sums.hits += hits[index]!
    sums.support += support[index]!
    sums.recall += recall
    sums.f1 += (2 * hits[index]!) / (support[index]! + predicted[index]!)
  }
  series.accuracy.push(sums.hits / sums.support)
  series.meanClassAccuracy.push(sums.recall / sums.present)
  series.macroF1.push(sums.f1 / sums.present)
}

/** The k-th value from either end, k = (n + 1) times the tail: of 2000 the 50th. */
function percentiles(values: readonly number[]): Interval {
  if (values.length === 0) return [0, 1]
  const sorted = Float64Array.from(values).sort()
  const k = Math.max(Math.floor((values.length + 1) * tail), 1)
  return [sorted[k - 1]!, sorted[sorted.length - k]!]
}
