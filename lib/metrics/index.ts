import { FerError } from '../errors.js'
import { expectedCalibrationError, negativeLogLikelihood } from './calibration.js'
import { accuracy, type ClassMetrics, classMetrics, macroF1, meanClassAccuracy } from './classification.js'
import { confusionMatrix, predictedClasses } from './confusion.js'

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
  const byClass = classMetrics(confusion, classes)
  return {
    samples: labels.length,
    accuracy: accuracy(confusion),
    meanClassAccuracy: meanClassAccuracy(byClass),
    macroF1: macroF1(byClass),
    classes: byClass,
    confusion,
    nll: negativeLogLikelihood(logits, labels),
    ece: expectedCalibrationError(logits, labels),
  }
}

// A metric of no samples, or of logits that are not numbers, would be a number that means nothing.
function requireMeasurable(logits: Float32Array, labels: ArrayLike<number>, classCount: number): void {
  if (labels.length === 0) throw new FerError('ERR_DATASET_EMPTY', 'Cannot measure a model on no samples.')
  if (logits.length !== labels.length * classCount) {
    const expected = `${labels.length} x ${classCount}`
    throw new FerError(
      'ERR_INVALID_OPTION',
      `Expected \`logits\` to hold ${expected} values, got ${logits.length}.`,
    )
  }
  const unknown = Array.from(labels).findIndex(
    (label) => !(Number.isInteger(label) && label >= 0 && label < classCount),
  )
  if (unknown >= 0) {
    const range = `an integer from 0 to ${classCount - 1}`
    throw new FerError(
      'ERR_UNKNOWN_CLASS',
      `Expected \`labels[${unknown}]\` to be ${range}, got \`${labels[unknown]}\`.`,
    )
  }
  const broken = logits.findIndex((logit) => !Number.isFinite(logit))
  if (broken < 0) return
  const sample = Math.floor(broken / classCount)
  throw new FerError(
    'ERR_BAD_MODEL',
    `The model answers face ${sample} with \`${logits[broken]}\`: its weights are damaged, or were trained with too large steps. Train it anew`,
  )
}
