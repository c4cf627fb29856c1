import { scramble } from '../datasets/synthetic/random.js'

/** Draws a whole number. */
type Draw = () => number

/** Binomial(trials, p) as it is needed again and again. */
interface Binomial {
  readonly p: number
  readonly logP: number
  readonly logQ: number
}

/**
 * Draws counts that add up to the sum of `counts`, as drawing so many items with replacement would give them: one
 * binomial a cell, of what the cells before it have left (Devroye 1986, Non-Uniform Random Variate Generation, XI.1).
 * The same seed gives the same sequence. The array is overwritten by the next draw.
 */
export function multinomial(counts: readonly number[], seed: number): () => Int32Array {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const [cells, logFactorial, uniform] = [conditionals(counts, total), logFactorials(total), uniforms(seed)]
  const drawn = new Int32Array(counts.length)
  return () => {
    let left = total
    for (let cell = 0; cell < drawn.length; cell++) {
      drawn[cell] = binomial(left, cells[cell]!, logFactorial, uniform)
      left -= drawn[cell]!
    }
    return drawn
  }
}

/** Of each cell, its share of what is not in the cells before it. */
function conditionals(counts: readonly number[], total: number): Binomial[] {
  let left = total
  return counts.map((count) => {
    const p = left === 0 ? 0 : count / left
    left -= count
    return { p, logP: Math.log(p), logQ: Math.log1p(-p) }
  })
}

/** ln 0! to ln n!. */
function logFactorials(n: number): Float64Array {
  const table = new Float64Array(n + 1)
  for (let i = 2; i <= n; i++) table[i] = table[i - 1]! + Math.log(i)
  return table
}

/** By inversion from the mode outwards: exact, and about as many steps as the standard deviation is large. */
function binomial(n: number, { p, logP, logQ }: Binomial, logFactorial: Float64Array, uniform: Draw): number {
  if (n === 0 || p <= 0) return 0
  if (p >= 1) return n
  const mode = Math.min(Math.floor((n + 1) * p), n)
  const peak = Math.exp(
    logFactorial[n]! - logFactorial[mode]! - logFactorial[n - mode]! + mode * logP + (n - mode) * logQ,
  )
  return fromMode(n, mode, peak, p / (1 - p), uniform())
}

/** The first k, counted from the mode up and down in turn, at which the probabilities add up to `u`. */
function fromMode(n: number, mode: number, peak: number, odds: number, u: number): number {
  let left = u - peak
  let [low, high, below, above] = [mode, mode, peak, peak]
  while (left > 0 && (low > 0 || high < n)) {
    if (high < n) {
      above *= ((n - high) / (high + 1)) * odds
      left -= above
      high++
      if (left <= 0) return high
    }
    if (low > 0) {
      below *= low / ((n - low + 1) * odds)
      left -= below
      low--
      if (left <= 0) return low
    }
  }
  // At once, or where rounding has left something at both ends.
  return mode
}

/** Between 0 and 1, both excluded. The constant is 2^32 over the golden ratio. */
function uniforms(seed: number): Draw {
  let state = scramble(seed)
  return () => {
    state = (state + 0x9e3779b9) | 0
    return (scramble(state) + 0.5) / 2 ** 32
  }
}
