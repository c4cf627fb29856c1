import test from 'ava'
import { stratifiedHoldout } from '../../lib/datasets/split.js'

const repeated = (counts: readonly number[]) =>
  counts.flatMap((count, label) => new Array<number>(count).fill(label))
const heldPerClass = (labels: readonly number[], fraction: number, seed: number) => {
  const { heldOut } = stratifiedHoldout(labels, fraction, seed)
  return [...new Set(labels)].map((label) => heldOut.filter((index) => labels[index] === label).length)
}

test('every index falls in exactly one part, both ascending', (t) => {
  const labels = repeated([13, 40, 7])
  const { training, heldOut } = stratifiedHoldout(labels, 0.1, 5)
  const all = [...training, ...heldOut].sort((a, b) => a - b)
  t.deepEqual(
    all,
    labels.map((_, index) => index),
  )
  t.deepEqual(
    [...training],
    [...training].sort((a, b) => a - b),
  )
  t.deepEqual(
    [...heldOut],
    [...heldOut].sort((a, b) => a - b),
  )
})

test('each class gives its rounded share', (t) => {
  // A tenth of 100, 44, 46 and 20: 10, 4.4 -> 4, 4.6 -> 5, 2.
  t.deepEqual(heldPerClass(repeated([100, 44, 46, 20]), 0.1, 1), [10, 4, 5, 2])
})

test('a class of two or more gives at least one and keeps at least one; a single sample stays in training', (t) => {
  t.deepEqual(heldPerClass(repeated([1, 2, 3, 4]), 0.1, 1), [0, 1, 1, 1])
  // round(0.9 * 2) = 2 would leave no sample to train on.
  t.deepEqual(heldPerClass(repeated([1, 2, 3]), 0.9, 1), [0, 1, 2])
})

test('the same arguments give the same parts, and the seed alone changes them', (t) => {
  const labels = repeated([50, 50])
  t.deepEqual(stratifiedHoldout(labels, 0.2, 7), stratifiedHoldout(Int32Array.from(labels), 0.2, 7))
  t.notDeepEqual(stratifiedHoldout(labels, 0.2, 7), stratifiedHoldout(labels, 0.2, 8))
})

test('the choice is the same on every machine and in every release', (t) => {
  const held = (seed: number) => [...stratifiedHoldout(repeated([10]), 0.3, seed).heldOut]
  // The three smallest hashes of 0 to 9, from the same formula written in Python's unbounded integers.
  t.deepEqual(held(1), [3, 6, 8])
  t.deepEqual(held(2), [2, 5, 7])
  t.deepEqual(held(2 ** 40 + 1), [3, 5, 8])
})

test('over many seeds every sample is held out about equally often', (t) => {
  const counts = new Array<number>(20).fill(0)
  for (let seed = 0; seed < 2000; seed++) {
    for (const index of stratifiedHoldout(repeated([20]), 0.1, seed).heldOut) counts[index]!++
  }
  // 2000 draws of 2 in 20: mean 200, deviation sqrt(2000 * 0.1 * 0.9) = 13.4; five of them are 67.
  for (const count of counts) t.true(Math.abs(count - 200) < 67, `${counts}`)
})

test('no labels give two empty parts', (t) => {
  const { training, heldOut } = stratifiedHoldout([], 0.1, 1)
  t.is(training.length, 0)
  t.is(heldOut.length, 0)
})

test('a fraction that leaves a part empty is refused', (t) => {
  for (const fraction of [0, 1, -0.1, 1.5, Number.NaN]) {
    t.throws(() => stratifiedHoldout([0, 0], fraction, 1), {
      code: 'ERR_INVALID_OPTION',
      message: /`fraction`/,
    })
  }
})
