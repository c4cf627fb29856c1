import { isBetter } from '../../metrics/better.js'
import type { Interval } from '../../metrics/bootstrap.js'
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

const metricsOf = ({ validation, averaged }: Fields, weights: Measured['weights']): Fields =>
  Object(weights === 'averaged' ? averaged : validation)

function measured(line: Fields, weights: Measured['weights']): Measured | undefined {
  const { accuracy, nll, ece } = metricsOf(line, weights)
  if (!isNumber(accuracy)) return undefined
  return { accuracy, weights, ...(isNumber(nll) ? { nll } : {}), ...(isNumber(ece) ? { ece } : {}) }
}

/** The 95 % interval of an epoch's accuracy. */
export function intervalIn(line: Fields, weights: Measured['weights']): Interval | undefined {
  const { accuracy } = Object(metricsOf(line, weights).intervals) as Fields
  const [low, high] = Array.isArray(accuracy) ? accuracy : []
  return isNumber(low) && isNumber(high) ? [low, high] : undefined
}
