import test from 'ava'
import { multinomial } from '../../lib/metrics/multinomial.js'

const counts = [900, 0, 60, 30, 10]
const total = 1000
const draws = 20_000

test('counts drawn add up to those given, and what does not occur is never drawn', (t) => {
  const draw = multinomial(counts, 1)
  for (let i = 0; i < 1000; i++) {
    const drawn = draw()
    t.is(
      drawn.reduce((sum, count) => sum + count, 0),
      total,
    )
    t.is(drawn[1], 0)
  }
})

test('means, variances and covariances are those of a multinomial', (t) => {
  const draw = multinomial(counts, 2)
  const sums = counts.map(() => 0)
  const products = counts.map(() => counts.map(() => 0))
  for (let i = 0; i < draws; i++) {
    const off = Array.from(draw(), (count, cell) => count - counts[cell]!)
    off.forEach((a, row) => {
      sums[row]! += a
      off.forEach((b, column) => {
        products[row]![column]! += a * b
      })
    })
  }
  for (const [i, a] of counts.entries()) {
    const deviation = Math.sqrt(a * (1 - a / total)) // sqrt(n p q)
    t.true(Math.abs(sums[i]! / draws) <= (5 * deviation) / Math.sqrt(draws), `mean of ${a}`)
    for (const [j, b] of counts.entries()) {
      const expected = i === j ? a * (1 - a / total) : (-a * b) / total // n p q and -n p p'
      const other = Math.sqrt(b * (1 - b / total))
      // A mean of products of two normal variables has at most this deviation, sqrt(2) times theirs.
      const tolerance = (5 * Math.SQRT2 * deviation * other) / Math.sqrt(draws)
      t.true(Math.abs(products[i]![j]! / draws - expected) <= tolerance, `${a} with ${b}`)
    }
  }
})

test('of three items every outcome is as frequent as it is probable', (t) => {
  const draw = multinomial([1, 2], 3)
  const seen = [0, 0, 0, 0]
  for (let i = 0; i < draws; i++) seen[draw()[0]!]!++
  // Binomial(3, 1/3): 8, 12, 6 and 1 of 27.
  for (const [k, ways] of [8, 12, 6, 1].entries()) {
    const p = ways / 27
    t.true(Math.abs(seen[k]! / draws - p) < 5 * Math.sqrt((p * (1 - p)) / draws), `${k}: ${seen[k]}`)
  }
})

test('the seed decides the sequence', (t) => {
  const sequence = (seed: number) => {
    const draw = multinomial(counts, seed)
    return Array.from({ length: 20 }, () => [...draw()])
  }
  t.deepEqual(sequence(7), sequence(7))
  t.notDeepEqual(sequence(7), sequence(8))
})

test('counts of a million items have the deviation that is theirs', (t) => {
  const draw = multinomial([700_000, 300_000], 4)
  const values = Array.from({ length: 2000 }, () => draw()[0]! - 700_000)
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  // sqrt(1e6 * 0.7 * 0.3) = 458.3, known to 1 part in sqrt(2 * 2000) = 63.
  t.true(Math.abs(deviation - 458.3) < (5 * 458.3) / 63, `${deviation}`)
})
