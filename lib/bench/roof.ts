import { native } from '../native.js'
import { machinePrecisions } from './precisions.js'

/** The most that this machine was seen to do in the same run: its best product of two square matrices. */
export interface Roof {
  readonly unit: 'GFLOP/s'
  readonly float32?: number
  readonly bfloat16?: number
  readonly int8?: number
}

/** Side of the matrices: large enough to be bound by arithmetic, and done in tenths of a second. */
const size = { thorough: 2048, quick: 256 } as const

export async function measureRoof(quick: boolean): Promise<Roof> {
  const side = quick ? size.quick : size.thorough
  const rates: Record<string, number> = {}
  for (const precision of machinePrecisions())
    rates[precision] = (2 * side ** 3) / (await native.measureMatrixProduct(precision, side)) / 1e9
  return { unit: 'GFLOP/s', ...rates }
}
