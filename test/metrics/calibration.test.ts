import test from 'ava'
import { expectedCalibrationError, negativeLogLikelihood } from '../../lib/metrics/calibration.js'

// The logarithm of a row of probabilities is a row of logits that gives them back.
const logitsOf = (...rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat(), Math.log)
const near = (a: number, b: number, tolerance = 1e-6) => Math.abs(a - b) < tolerance

test('the negative log-likelihood is the mean of -ln p(truth)', (t) => {
  const logits = logitsOf([0.7, 0.3], [0.2, 0.8])
  t.true(near(negativeLogLikelihood(logits, [0, 0]), -(Math.log(0.7) + Math.log(0.2)) / 2))
})

test('a confident mistake costs its margin, however large, and never infinity', (t) => {
  // ln(exp(1e4) + exp(-1e4)) - (-1e4) = 2e4
  t.is(negativeLogLikelihood(Float32Array.of(1e4, -1e4), [1]), 2e4)
  t.is(negativeLogLikelihood(Float32Array.of(1e4, -1e4), [0]), 0)
})

test('logits without information cost ln K', (t) => {
  t.true(near(negativeLogLikelihood(new Float32Array(14), [3, 6]), Math.log(7)))
})

test('the calibration error is the gap of each bin, weighted by its samples', (t) => {
  // Confidence 0.7 in bin 11 (10.5 / 15), hit: +0.3. 0.62 (9.3) hit and 0.65 (9.75) missed, both in bin 10:
  // +0.38 - 0.65 = -0.27. 0.5 (7.5) in bin 8, missed: -0.5. (0.3 + 0.27 + 0.5) / 4 = 0.2675.
  const logits = logitsOf([0.7, 0.2, 0.1], [0.08, 0.62, 0.3], [0.5, 0.3, 0.2], [0.2, 0.15, 0.65])
  t.true(near(expectedCalibrationError(logits, [0, 1, 1, 0]), 0.2675))
})

test('certainty that is right has no error, and certainty that is wrong has all of it', (t) => {
  const logits = Float32Array.of(1e4, 0, 0, 1e4)
  t.is(expectedCalibrationError(logits, [0, 1]), 0)
  t.is(expectedCalibrationError(logits, [1, 0]), 1)
  t.is(expectedCalibrationError(logits, [0, 0]), 0.5)
})

test('confidence that equals the hit rate of its bin has no error', (t) => {
  // Four samples at 0.75, three of them right.
  const logits = logitsOf([0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.75, 0.25])
  t.true(near(expectedCalibrationError(logits, [0, 0, 0, 1]), 0))
})
