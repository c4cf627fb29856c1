import test from 'ava'
import { bootstrap, type Interval } from '../../lib/metrics/bootstrap.js'
import { accuracy, classRates, macroF1, meanClassAccuracy } from '../../lib/metrics/classification.js'
import { confusionMatrix } from '../../lib/metrics/confusion.js'

/** Seven classes of 500 samples each, 350 of them answered right and 25 as each other class. */
const even = Array.from({ length: 7 }, (_, truth) =>
  Array.from({ length: 7 }, (_, prediction) => (truth === prediction ? 350 : 25)),
)

const isNear = (interval: Interval, expected: Interval, tolerance: number) =>
  interval.every((end, i) => Math.abs(end - expected[i]!) < tolerance)

/** The binomial's normal approximation. */
const normal = (p: number, n: number): Interval => {
  const half = 1.96 * Math.sqrt((p * (1 - p)) / n)
  return [p - half, p + half]
}

test('of many samples the intervals of accuracy and recall are those of the normal approximation', (t) => {
  const { accuracy: interval, recalls } = bootstrap(even)
  // An end, a percentile of 2000 values, deviates by 0.06 of their deviation: 0.00046 and 0.0012. Five times that.
  t.true(isNear(interval, normal(0.7, 3500), 0.0023), `${interval}`)
  for (const recall of recalls) t.true(isNear(recall, normal(0.7, 500), 0.006), `${recall}`)
})

/** Few and uneven: 40 samples of a, 12 of b, 3 of c. */
const uneven = [
  [31, 6, 3],
  [4, 8, 0],
  [1, 0, 2],
]

test('of few samples they are those of drawing sample after sample', (t) => {
  const ours = bootstrap(uneven)
  const plain = plainBootstrap(uneven, 4000)
  for (const name of ['accuracy', 'meanClassAccuracy', 'macroF1'] as const)
    t.true(isNear(ours[name], plain[name], 0.02), `${name}: ${ours[name]}, plain ${plain[name]}`)
  for (const [index, recall] of ours.recalls.entries()) {
    const other = plain.recalls[index]!
    t.true(isNear(recall, other, 0.03), `recall ${index}: ${recall}, plain ${other}`)
  }
})

/** The definition: resamples of (truth, prediction), each measured as any sample is. */
function plainBootstrap(confusion: readonly (readonly number[])[], resamples: number) {
  const pairs = confusion.flatMap((row, truth) =>
    row.flatMap((count, prediction) => Array<[number, number]>(count).fill([truth, prediction])),
  )
  const random = randomNumbers(11)
  const measured = Array.from({ length: resamples }, () => {
    const drawn = pairs.map(() => pairs[Math.floor(random() * pairs.length)]!)
    const truths = drawn.map(([truth]) => truth)
    const predictions = drawn.map(([, prediction]) => prediction)
    return confusionMatrix(truths, predictions, confusion.length)
  })
  const names = confusion.map((_, index) => `${index}`)
  const rates = measured.map((matrix) => classRates(matrix, names))
  return {
    accuracy: middle(measured.map(accuracy)),
    meanClassAccuracy: middle(rates.map(meanClassAccuracy)),
    macroF1: middle(rates.map(macroF1)),
    recalls: names.map((_, index) =>
      middle(rates.flatMap((rows) => (rows[index]!.support > 0 ? rows[index]!.recall : []))),
    ),
  }
}

function middle(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[Math.floor(0.025 * sorted.length)]!, sorted[Math.ceil(0.975 * sorted.length) - 1]!]
}

/** A linear congruential generator (Knuth's MMIX constants), its upper 32 bits. */
function randomNumbers(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 32n) / 2 ** 32
  }
}

test('every interval holds what was measured', (t) => {
  for (const confusion of [even, uneven]) {
    const rates = classRates(
      confusion,
      confusion.map((_, index) => `${index}`),
    )
    const intervals = bootstrap(confusion)
    const holds = ([low, high]: Interval, value: number) => low <= value && value <= high
    t.true(holds(intervals.accuracy, accuracy(confusion)))
    t.true(holds(intervals.meanClassAccuracy, meanClassAccuracy(rates)))
    t.true(holds(intervals.macroF1, macroF1(rates)))
    for (const [index, { recall }] of rates.entries()) t.true(holds(intervals.recalls[index]!, recall))
  }
})

test('four times the samples halve the interval', (t) => {
  const width = ([low, high]: Interval) => high - low
  const fourfold = even.map((row) => row.map((count) => 4 * count))
  const ratio = width(bootstrap(fourfold).macroF1) / width(bootstrap(even).macroF1)
  t.true(ratio > 0.44 && ratio < 0.56, `${ratio}`)
})

test('the same matrix gives the same intervals', (t) => {
  t.deepEqual(bootstrap(uneven), bootstrap(uneven))
})

test('of a class without samples nothing is known; where all is right the resamples know no spread', (t) => {
  const { accuracy: interval, recalls } = bootstrap([
    [9, 0],
    [0, 0],
  ])
  t.deepEqual(interval, [1, 1])
  t.deepEqual(recalls, [
    [1, 1],
    [0, 1],
  ])
})

test('the event loop waits for it no longer than for a frame or two', (t) => {
  const times = Array.from({ length: 7 }, () => {
    const before = process.cpuUsage()
    bootstrap(even)
    return process.cpuUsage(before).user / 1000
  })
  const median = times.toSorted((a, b) => a - b)[3]!
  t.log(`${median.toFixed(1)} ms`)
  // 10 ms on a 2.x GHz server core; drawn sample by sample it would grow with their number.
  t.true(median < 100, `${median} ms`)
})
