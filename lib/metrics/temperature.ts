import { expectedCalibrationError, negativeLogLikelihood } from './calibration.js'
import { requireMeasurable } from './measurable.js'

/** The temperatures that are fitted and stored. */
export const temperatureRange = { smallest: 0.01, largest: 100 } as const

/** A temperature, and what it makes of the samples that it was fitted on. */
export interface Calibration {
  readonly temperature: number
  /** Negative log-likelihood of the logits divided by it, in nats. */
  readonly nll: number
  /** Expected calibration error of the same. */
  readonly ece: number
}

/** (N, K) `logits` divided by a temperature: every order of classes stays, only how sure an answer is changes. */
export const tempered = (logits: Float32Array, temperature = 1): Float32Array =>
  temperature === 1 ? logits : logits.map((logit) => logit / temperature)

/** Fits a temperature to N samples of K classes, and measures what it gives. Refuses what `measure` refuses. */
export function calibration(
  logits: Float32Array,
  truths: ArrayLike<number>,
  classCount: number,
): Calibration {
  requireMeasurable(logits, truths, classCount)
  const temperature = fitTemperature(logits, truths)
  const divided = tempered(logits, temperature)
  return {
    temperature,
    nll: negativeLogLikelihood(divided, truths),
    ece: expectedCalibrationError(divided, truths),
  }
}

/**
 * Temperature scaling (Guo et al. 2017, arXiv:1706.04599): the T from 0.01 to 100 at which (N, K) `logits` / T make the
 * truths likeliest. The likelihood is concave in 1/T, so its maximum is the one root of a slope that falls: Newton's
 * steps, halved where they would leave what is known to hold it.
 *
 * 1 where every sample is answered right, as in a set too small to hold a mistake: the likelihood then grows with
 * certainty for ever, and says nothing of how much of it is due.
 */
export function fitTemperature(logits: Float32Array, truths: ArrayLike<number>): number {
  let [low, high] = [1 / temperatureRange.largest, 1 / temperatureRange.smallest]
  if (derivatives(logits, truths, high).slope <= 0) return 1
  if (derivatives(logits, truths, low).slope >= 0) return temperatureRange.largest
  let [scale, step] = [1, 1]
  for (let i = 0; i < mostSteps && Math.abs(step) > 1e-9 * scale; i++) {
    const { slope, curvature } = derivatives(logits, truths, scale)
    if (slope > 0) high = scale
    else low = scale
    const newton = scale - slope / curvature
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high)
    step = next - scale
    scale = next
  }
  return 1 / scale
}

/** Newton takes a handful; halving alone, from 100 to 0.01, 33 to the last digit that counts. */
const mostSteps = 50

/** Of the mean negative log-likelihood of scale * logits, by the scale: the expected logit less the true one, and its variance. */
function derivatives(logits: Float32Array, truths: ArrayLike<number>, scale: number) {
  const classCount = logits.length / truths.length
  let [slope, curvature] = [0, 0]
  for (let sample = 0; sample < truths.length; sample++) {
    const row = logits.subarray(sample * classCount, (sample + 1) * classCount)
    const { mean, variance } = moments(row, scale)
    slope += mean - row[truths[sample]!]!
    curvature += variance
  }
  return { slope: slope / truths.length, curvature: curvature / truths.length }
}

/** Mean and variance of the logits of one sample, each with the probability that they give when scaled. */
function moments(row: Float32Array, scale: number): { mean: number; variance: number } {
  const largest = row.reduce((most, logit) => Math.max(most, logit))
  let [weight, first, second] = [0, 0, 0]
  for (const logit of row) {
    const below = logit - largest
    const part = Math.exp(scale * below)
    weight += part
    first += part * below
    second += part * below * below
  }
  const mean = first / weight
  return { mean: mean + largest, variance: second / weight - mean * mean }
}
