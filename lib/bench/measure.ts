import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds a run, or whatever else is measured several times. */
export type Times = readonly number[]

/** One of those that are measured in turn. */
export interface Side {
  readonly name: string
  /** Makes so many runs, one after another, and gives the milliseconds of each. */
  readonly run: (runs: number) => Promise<Times>
}

export interface Pace {
  readonly rounds: number
  /** Runs of a side in each round. */
  readonly runs: number
  /** Milliseconds between two sides. */
  readonly pause: number
}

/**
 * Measures the sides in turn, A B C A B C, so that what else the machine does falls on all alike. A sample is the
 * median of a turn's runs. A first round warms up and does not count.
 */
export async function inTurn(
  sides: readonly Side[],
  { rounds, runs, pause }: Pace,
  onRound: (done: number) => void = () => {},
): Promise<Map<Side, Times>> {
  const samples = new Map<Side, number[]>(sides.map((side) => [side, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const side of sides) {
      // Threads of the side before may still spin for tens of milliseconds, waiting for more to do.
      await delay(pause)
      const times = await side.run(runs)
      if (round > 0) samples.get(side)!.push(median(times))
    }
    onRound(round)
  }
  return samples
}

/** As a side's `run`. */
export const timing =
  (call: () => Promise<unknown>) =>
  async (runs: number): Promise<Times> => {
    const times: number[] = []
    for (let i = 0; i < runs; i++) {
      const started = performance.now()
      await call()
      times.push(performance.now() - started)
    }
    return times
  }

/** The same side with one time a turn, the mean of its runs: to compare with one whose runs are timed together. */
export const averaged = ({ name, run }: Side): Side => ({
  name,
  run: async (runs) => [mean(await run(runs))],
})

const mean = (values: Times): number => values.reduce((sum, value) => sum + value, 0) / values.length

export const median = (values: Times): number => quantile(values, 0.5)

/** Interquartile range over median: unlike the whole range, it forgives a single interruption. */
export function spreadOf(values: Times): number {
  const middle = median(values)
  return middle === 0 ? 0 : (quantile(values, 0.75) - quantile(values, 0.25)) / middle
}

/** Linear between neighbours, as NumPy's default. */
export function quantile(values: Times, fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = fraction * (sorted.length - 1)
  const below = sorted[Math.floor(place)]!
  return below + (place % 1) * (sorted[Math.ceil(place)]! - below)
}
