import { bootstrap, type Interval } from '../../metrics/bootstrap.js'
import { isNumber } from '../page/numbers.js'
import type { Fields } from './reading.js'

/** An epoch as its line in the log tells it; what the line lacks is absent. */
export interface MeasuredEpoch extends Partial<Measured> {
  readonly epoch: number
  readonly loss?: number
}

/** Of the better of the weights and their average: the model that the epoch saved. */
export interface Measured {
  readonly accuracy: number
  /** 95 %. */
  readonly interval?: Interval
  readonly nll?: number
  readonly ece?: number
  readonly weights: 'trained' | 'averaged'
}

export function measuredEpoch(line: Fields, index: number): MeasuredEpoch {
  const { epoch, loss } = line
  const [trained, averaged] = [measured(line.validation, 'trained'), measured(line.averaged, 'averaged')]
  const better = averaged && (!trained || averaged.accuracy > trained.accuracy) ? averaged : trained
  return {
    epoch: isNumber(epoch) ? epoch : index + 1,
    ...(isNumber(loss) ? { loss } : {}),
    ...better,
  }
}

function measured(metrics: unknown, weights: Measured['weights']): Measured | undefined {
  const { accuracy, nll, ece, intervals, confusion } = Object(metrics) as Fields
  if (!isNumber(accuracy)) return undefined
  const interval = intervalIn(Object(intervals).accuracy) ?? intervalOf(confusion)
  return {
    accuracy,
    weights,
    ...(interval ? { interval } : {}),
    ...(isNumber(nll) ? { nll } : {}),
    ...(isNumber(ece) ? { ece } : {}),
  }
}

function intervalIn(value: unknown): Interval | undefined {
  const [low, high] = Array.isArray(value) ? value : []
  return isNumber(low) && isNumber(high) ? [low, high] : undefined
}

/** Runs of older versions did not write the interval, but it is a function of the matrix. */
const intervalOf = (confusion: unknown): Interval | undefined =>
  isConfusion(confusion) ? bootstrap(confusion).accuracy : undefined

const isConfusion = (value: unknown): value is number[][] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((row) => Array.isArray(row) && row.length === value.length && row.every(isCount)) &&
  value.flat().some((count) => count > 0)

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
