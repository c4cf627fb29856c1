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
  readonly nll?: number
  readonly ece?: number
  readonly weights: 'trained' | 'averaged'
}

export function measuredEpoch(line: Fields, index: number): MeasuredEpoch {
  const { epoch, loss } = line
  const [trained, averaged] = [measured(line, 'trained'), measured(line, 'averaged')]
  return {
    epoch: isNumber(epoch) ? epoch : index + 1,
    ...(isNumber(loss) ? { loss } : {}),
    ...(averaged && isBetter(averaged, trained) ? averaged : trained),
  }
}

/** As a run chooses: by accuracy; of two alike, the more certain of the truth; else the earlier. */
export const isBetter = (measured: Measured, best: Measured | undefined): boolean =>
  !best ||
  measured.accuracy > best.accuracy ||
  (measured.accuracy === best.accuracy && (measured.nll ?? Infinity) < (best.nll ?? Infinity))

const metricsOf = ({ validation, averaged }: Fields, weights: Measured['weights']): Fields =>
  Object(weights === 'averaged' ? averaged : validation)

function measured(line: Fields, weights: Measured['weights']): Measured | undefined {
  const { accuracy, nll, ece } = metricsOf(line, weights)
  if (!isNumber(accuracy)) return undefined
  return { accuracy, weights, ...(isNumber(nll) ? { nll } : {}), ...(isNumber(ece) ? { ece } : {}) }
}

/**
 * The 95 % interval of an epoch's accuracy. Runs of older versions did not write it, but it is a function of the matrix:
 * one that takes a while, so not for every epoch.
 */
export function intervalIn(line: Fields, weights: Measured['weights']): Interval | undefined {
  const { intervals, confusion } = metricsOf(line, weights)
  const { accuracy } = Object(intervals) as Fields
  const [low, high] = Array.isArray(accuracy) ? accuracy : []
  if (isNumber(low) && isNumber(high)) return [low, high]
  return isConfusion(confusion) ? bootstrap(confusion).accuracy : undefined
}

/** In a matrix that a file holds: the bootstrap makes a table as long. */
const mostFaces = 10_000_000

function isConfusion(value: unknown): value is number[][] {
  if (!Array.isArray(value) || !value.every((row) => isCounts(row) && row.length === value.length))
    return false
  const faces = value.flat().reduce((sum, count) => sum + count, 0)
  return faces > 0 && faces <= mostFaces
}

const isCounts = (row: unknown): row is number[] =>
  Array.isArray(row) && row.every((count) => Number.isSafeInteger(count) && count >= 0)
