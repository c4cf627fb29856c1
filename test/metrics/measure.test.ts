import test from 'ava'
import { measure } from '../../lib/metrics/index.js'

const logitsOf = (...rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat(), Math.log)

test('all metrics of a small set are those counted by hand', (t) => {
  const logits = logitsOf([0.7, 0.2, 0.1], [0.08, 0.62, 0.3], [0.5, 0.3, 0.2], [0.2, 0.15, 0.65])
  const metrics = measure(logits, Int32Array.of(0, 1, 1, 0), ['fear', 'anger', 'neutral'])
  t.is(metrics.samples, 4)
  t.deepEqual(metrics.confusion, [
    [1, 0, 1],
    [1, 1, 0],
    [0, 0, 0],
  ])
  t.is(metrics.accuracy, 0.5)
  t.is(metrics.meanClassAccuracy, 0.5) // neutral has no sample and does not enter
  t.is(metrics.macroF1, (1 / 2 + 2 / 3) / 2) // fear 2 / (2 + 2), anger 2 / (2 + 1)
  t.deepEqual(
    metrics.classes.map(({ name, support }) => [name, support]),
    [
      ['fear', 2],
      ['anger', 2],
      ['neutral', 0],
    ],
  )
  const nll = -(Math.log(0.7) + Math.log(0.62) + Math.log(0.3) + Math.log(0.2)) / 4
  t.true(Math.abs(metrics.nll - nll) < 1e-6)
  t.true(Math.abs(metrics.ece - 0.2675) < 1e-6) // as in the test of calibration
})

test('the metrics over all classes and the recall of each have intervals that hold them', (t) => {
  const logits = logitsOf([0.7, 0.2, 0.1], [0.08, 0.62, 0.3], [0.5, 0.3, 0.2], [0.2, 0.15, 0.65])
  const metrics = measure(logits, Int32Array.of(0, 1, 1, 0), ['fear', 'anger', 'neutral'])
  // Of four samples, two right, a resample has none right once in 16: the interval is all there is.
  t.deepEqual(metrics.intervals.accuracy, [0, 1])
  t.deepEqual(Object.keys(metrics.intervals), ['accuracy', 'meanClassAccuracy', 'macroF1'])
  t.deepEqual(
    metrics.classes.map(({ recallInterval }) => recallInterval),
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  )
})

test('the order of the samples changes nothing but rounding', (t) => {
  const rows = Array.from({ length: 40 }, (_, row) => [Math.sin(row), Math.cos(3 * row), Math.sin(7 * row)])
  const labels = rows.map((_, row) => (row * 5) % 3)
  const forward = measure(Float32Array.from(rows.flat()), labels, ['a', 'b', 'c'])
  const backward = measure(Float32Array.from(rows.toReversed().flat()), labels.toReversed(), ['a', 'b', 'c'])
  t.deepEqual(backward.confusion, forward.confusion)
  t.deepEqual(backward.intervals, forward.intervals)
  t.true(Math.abs(backward.ece - forward.ece) < 1e-12 && Math.abs(backward.nll - forward.nll) < 1e-12)
})

test('no samples, a wrong length, a label out of range and logits that are not finite are refused', (t) => {
  const names = ['fear', 'anger']
  t.throws(() => measure(new Float32Array(0), [], names), { code: 'ERR_DATASET_EMPTY' })
  t.throws(() => measure(new Float32Array(3), [0, 1], names), {
    code: 'ERR_INVALID_OPTION',
    message: /2 x 2 values, got 3/,
  })
  t.throws(() => measure(new Float32Array(4), [0, 2], names), {
    code: 'ERR_UNKNOWN_CLASS',
    message: /`labels\[1\]` to be an integer from 0 to 1, got `2`/,
  })
  t.throws(() => measure(Float32Array.of(0, 1, Number.NaN, 1), [0, 1], names), {
    code: 'ERR_BAD_MODEL',
    message: /face 1 with `NaN`/,
  })
})
