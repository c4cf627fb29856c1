import { isBetter } from '../../metrics/better.js'
import type { Interval } from '../../metrics/bootstrap.js'
import { flattened, isGroup, type Value } from '../fields.js'
import { isNumber } from '../page/numbers.js'
import { meanRate } from '../rate.js'
import { intervalIn, type Measured, type MeasuredEpoch, measuredEpoch } from './epoch.js'
import { labelsOf } from './labels.js'
import { type Fields, type RunFiles, readRun, secondsIn } from './reading.js'

export interface Comparison {
  readonly runs: readonly ComparedRun[]
  /** The names of what the runs were begun with and that is not the same for all. */
  readonly differing: readonly string[]
  /** Whether the runs, as far as they say, chose their best epoch on the same faces, so that accuracies can be compared. */
  readonly validatedAlike: boolean
}

/** A run beside others; what its files do not say is absent. */
export interface ComparedRun {
  readonly folder: string
  /** What tells its folder from those of the others: its path within the folder that holds all. */
  readonly label: string
  readonly ended: boolean
  readonly epochs: readonly MeasuredEpoch[]
  readonly best?: BestEpoch
  readonly minutes?: number
  readonly imagesPerSecond?: number
  readonly begun: Begun
}

/** With the 95 % interval of its accuracy. */
export type BestEpoch = MeasuredEpoch & Measured & { readonly interval?: Interval }

/**
 * What a run was begun with, by name: options, data, versions. Names and values are from files, so not fit to be shown
 * as they are. Empty where the files do not say.
 */
export type Begun = ReadonlyMap<string, Value>

/** Reads runs and finds what tells them apart. ERR_INVALID_OPTION names a folder that holds no run. */
export async function compareRuns(folders: readonly string[]): Promise<Comparison> {
  const [files, labels] = [await Promise.all(folders.map(readRun)), labelsOf(folders)]
  const runs = files.map((run, i) => ({ ...summarised(run), label: labels[i]! }))
  const begun = runs.map((run) => run.begun).filter(({ size }) => size > 0)
  const names = [...new Set(begun.flatMap((known) => [...known.keys()]))]
  const differing = names.filter((name) => new Set(begun.map((known) => meaning(known.get(name)))).size > 1)
  const deciding = decidingFaces(begun)
  return { runs, differing, validatedAlike: !differing.some((name) => deciding.includes(name)) }
}

/** What an older version did not know of, it did not do. */
const meaning = (value: Value): string =>
  value === undefined || value === 0 || value === false || value === 'none' ? 'off' : String(value)

/**
 * What decides which faces the epochs were measured on: the validation split that is named; of a part that was held out
 * of the training faces also the data and the seed, by which it was drawn.
 */
function decidingFaces(begun: readonly Begun[]): readonly string[] {
  const isNamed = begun.every((known) => String(known.get('validatedOn')).endsWith(', validation split'))
  return ['validatedOn', 'validationFaces', ...(isNamed ? [] : ['data', 'seed'])]
}

function summarised({ folder, log, summary, ended }: RunFiles): Omit<ComparedRun, 'label'> {
  const epochs = log.map(measuredEpoch)
  const best = bestOf(epochs, log)
  const minutes = (isNumber(summary.seconds) ? summary.seconds : secondsIn(log)) / 60
  const imagesPerSecond = meanRate(log as readonly { imagesPerSecond?: number }[])
  return {
    folder,
    ended,
    epochs,
    ...(best ? { best } : {}),
    ...(isNumber(minutes) ? { minutes } : {}),
    ...(isNumber(imagesPerSecond) ? { imagesPerSecond } : {}),
    begun: begunWith(summary),
  }
}

function bestOf(epochs: readonly MeasuredEpoch[], log: readonly Fields[]): BestEpoch | undefined {
  const best = epochs
    .filter(isMeasured)
    .reduce<(MeasuredEpoch & Measured) | undefined>(
      (best, epoch) => (isBetter(epoch, best) ? epoch : best),
      undefined,
    )
  if (!best) return undefined
  const interval = intervalIn(log[epochs.indexOf(best)]!, best.weights)
  return { ...best, ...(interval ? { interval } : {}) }
}

const isMeasured = (epoch: MeasuredEpoch): epoch is MeasuredEpoch & Measured => epoch.accuracy !== undefined

function begunWith({ provenance }: Fields): Begun {
  const { data, validatedOn, trainingFaces, validationFaces, options, versions } = Object(provenance)
  const fields = { data, trainingFaces, validatedOn, validationFaces, versions }
  return new Map(flattened({ ...(isGroup(options) ? options : {}), ...fields }))
}
