import test from 'ava'
import { negativeLogLikelihood } from '../../lib/metrics/calibration.js'
import { calibration, fitTemperature, tempered } from '../../lib/metrics/temperature.js'

// Four samples of two classes: three of the first, one of the second. Answered (0.75, 0.25) each, they are met exactly.
const truths = [0, 0, 0, 1]
const heated = (temperature: number) =>
  Float32Array.from(truths.flatMap(() => [0.75, 0.25]).map((p) => temperature * Math.log(p)))

for (const temperature of [0.02, 0.3, 1, 2.5, 40]) {
  test(`the temperature ${temperature} that logits were multiplied by is found`, (t) => {
    t.true(Math.abs(fitTemperature(heated(temperature), truths) / temperature - 1) < 1e-6)
  })
}

/** 400 samples of 7 classes with logits as a network's, each class hit more often than by chance. */
const network = () => {
  const labels = Array.from({ length: 400 }, (_, sample) => (sample * 5) % 7)
  const logits = Float32Array.from({ length: 2800 }, (_, i) => {
    const [sample, index] = [Math.floor(i / 7), i % 7]
    return 3 * Math.sin(12.9898 * (i + 1) ** 1.3) + (labels[sample] === index ? 3 : 0)
  })
  return { labels, logits }
}

test('no other temperature makes the truths likelier', (t) => {
  const { logits, labels } = network()
  const best = fitTemperature(logits, labels)
  const nll = (temperature: number) => negativeLogLikelihood(tempered(logits, temperature), labels)
  t.true(best > 1.05, `${best}: sines of size 3 make the answers too sure`)
  for (const factor of [0.01, 0.5, 0.9, 0.99, 1.01, 1.1, 2, 100])
    t.true(nll(best * factor) > nll(best), `${best} times ${factor}`)
})

test('logits twice as large need twice the temperature, and then give the same', (t) => {
  const { logits, labels } = network()
  const doubled = logits.map((logit) => 2 * logit)
  const [once, twice] = [calibration(logits, labels, 7), calibration(doubled, labels, 7)]
  t.true(Math.abs(twice.temperature / once.temperature - 2) < 1e-6)
  t.true(Math.abs(twice.nll - once.nll) < 1e-6)
})

test('logits all higher by the same need no other temperature', (t) => {
  const { logits, labels } = network()
  const higher = logits.map((logit) => logit + 64)
  t.true(Math.abs(fitTemperature(higher, labels) - fitTemperature(logits, labels)) < 1e-4)
})

test('answers that are too sure become as sure as they are right', (t) => {
  // Four times 0.75^4 / (0.75^4 + 0.25^4) = 81 / 82 sure, three times right: off by 0.988 - 0.75.
  const logits = heated(4)
  const { temperature, nll, ece } = calibration(logits, truths, 2)
  t.true(Math.abs(temperature - 4) < 1e-5)
  t.true(ece < 1e-6)
  // The entropy of (0.75, 0.25): 0.5623.
  t.true(Math.abs(nll - 0.5623) < 1e-4, `${nll}`)
})

test('where every answer is right certainty would grow for ever: it is left as it is', (t) => {
  t.is(fitTemperature(Float32Array.of(0.3, 0, 0, 0.2), [0, 1]), 1)
  // 100 times the difference is beyond what exp can tell from nothing.
  t.is(fitTemperature(Float32Array.of(30, 0, 0, 20), [0, 1]), 1)
})

test('where answers are worse than chance they become all alike, as far as the range goes', (t) => {
  t.is(fitTemperature(Float32Array.of(3, 0, 0, 2), [1, 0]), 100)
})

test('logits that say nothing are left as they are', (t) => {
  t.is(fitTemperature(new Float32Array(6), [0, 1, 1]), 1)
})

test('dividing keeps the order, and by 1 the very array', (t) => {
  const logits = Float32Array.of(1, -2, 3)
  t.deepEqual([...tempered(logits, 2)], [0.5, -1, 1.5])
  t.is(tempered(logits), logits)
  t.is(tempered(logits, 1), logits)
})

test('no samples and logits that are no numbers are refused', (t) => {
  t.throws(() => calibration(new Float32Array(0), [], 2), { code: 'ERR_DATASET_EMPTY' })
  t.throws(() => calibration(Float32Array.of(1, Number.NaN), [0], 2), { code: 'ERR_BAD_MODEL' })
})
