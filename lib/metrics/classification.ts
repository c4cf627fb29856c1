import type { Interval } from './bootstrap.js'
import type { Confusion } from './confusion.js'

/** How well one class is found; 0 where a fraction is undefined. */
export interface ClassRates {
  readonly name: string
  /** Of the samples predicted as this class, the part that is of it. */
  readonly precision: number
  /** Of the samples of this class, the part predicted as it. */
  readonly recall: number
  /** Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). */
  readonly f1: number
  /** Samples of this class. */
  readonly support: number
}

export interface ClassMetrics extends ClassRates {
  /** 95 %; see `Metrics.intervals`. [0, 1] for a class without samples. */
  readonly recallInterval: Interval
}

export function classRates(confusion: Confusion, names: readonly string[]): ClassRates[] {
  return names.map((name, index) => {
    const hits = confusion[index]![index]!
    const support = sum(confusion[index]!)
    const predicted = sum(confusion.map((row) => row[index]!))
    return {
      name,
      precision: ratio(hits, predicted),
      recall: ratio(hits, support),
      f1: ratio(2 * hits, support + predicted),
      support,
    }
  })
}

/** Of all samples, the part predicted right. */
export function accuracy(confusion: Confusion): number {
  const hits = confusion.map((row, index) => row[index]!)
  return ratio(sum(hits), sum(confusion.map(sum)))
}

/** Mean recall over the classes that have samples, each class weighing the same (also: balanced accuracy, UAR). */
export function meanClassAccuracy(classes: readonly ClassRates[]): number {
  return mean(withSamples(classes).map(({ recall }) => recall))
}

/** Mean F1 over the classes that have samples; a class that is only ever predicted does not enter. */
export function macroF1(classes: readonly ClassRates[]): number {
  return mean(withSamples(classes).map(({ f1 }) => f1))
}

const withSamples = (classes: readonly ClassRates[]) => classes.filter(({ support }) => support > 0)
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
const mean = (values: readonly number[]) => ratio(sum(values), values.length)
