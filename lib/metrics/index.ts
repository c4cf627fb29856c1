import { bootstrap, type Intervals } from './bootstrap.js'
import { expectedCalibrationError, negativeLogLikelihood } from './calibration.js'
import { accuracy, type ClassMetrics, classRates, macroF1, meanClassAccuracy } from './classification.js'
import { confusionMatrix, predictedClasses } from './confusion.js'
import { requireMeasurable } from './measurable.js'

export type { Interval, Intervals } from './bootstrap.js'
export type { ClassMetrics } from './classification.js'
export { softmax } from './softmax.js'

/** What a model reaches on labelled faces; every fraction from 0 to 1. */
export interface Metrics {
  readonly samples: number
  /** Of all samples, the part predicted right. */
  readonly accuracy: number
  /** Mean recall over the classes that have samples. */
  readonly meanClassAccuracy: number
  /** Mean F1 over the classes that have samples. */
  readonly macroF1: number
  /**
   * 95 % intervals of the three, by a bootstrap with a fixed seed: what other faces of the same kind might have given.
   * Absent from the log of a run that an older version began.
   */
  readonly intervals: Intervals
  readonly classes: readonly ClassMetrics[]
  /** Counts: rows are the truth, columns the prediction, both in the order of `classes`. */
  readonly confusion: number[][]
  /** Negative log-likelihood: mean of -ln p(truth), in nats. */
  readonly nll: number
  /** Expected calibration error over 15 bins of equal width. */
  readonly ece: number
}

/** Measures (N, K) `logits`, row-major, against N `labels`, indices into the K `classes`. */
export function measure(
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: readonly string[],
): Metrics {
  requireMeasurable(logits, labels, classes.length)
  const confusion = confusionMatrix(labels, predictedClasses(logits, classes.length), classes.length)
  const rates = classRates(confusion, classes)
  const { recalls, ...intervals } = bootstrap(confusion)
  return {
    samples: labels.length,
    accuracy: accuracy(confusion),
    meanClassAccuracy: meanClassAccuracy(rates),
    macroF1: macroF1(rates),
    intervals,
    classes: rates.map((rate, index) => ({ ...rate, recallInterval: recalls[index]! })),
    confusion,
    nll: negativeLogLikelihood(logits, labels),
    ece: expectedCalibrationError(logits, labels),
  }
}
