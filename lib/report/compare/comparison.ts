import { flattened } from '../flattened.js'
import { isNumber } from '../page/numbers.js'
import { meanRate } from '../rate.js'
import { type Measured, type MeasuredEpoch, measuredEpoch } from './epoch.js'
import { type Fields, type RunFiles, readRun } from './reading.js'

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
  readonly ended: boolean
  readonly epochs: readonly MeasuredEpoch[]
  readonly best?: MeasuredEpoch & Measured
  readonly minutes?: number
  readonly imagesPerSecond?: number
  /** What it was begun with, by name: options, data, versions; from files, so not fit to be shown as it is. Empty where they do not say. */
  readonly begun: ReadonlyMap<string, unknown>
}

/** Reads runs and finds what tells them apart. ERR_INVALID_OPTION names a folder that holds no run. */
export async function compareRuns(folders: readonly string[]): Promise<Comparison> {
  const runs = (await Promise.all(folders.map(readRun))).map(summarised)
  const known = runs.filter(({ begun }) => begun.size > 0)
  const names = [...new Set(known.flatMap(({ begun }) => [...begun.keys()]))]
  const differing = names.filter(
    (name) => new Set(known.map(({ begun }) => meaning(begun.get(name)))).size > 1,
  )
  return { runs, differing, validatedAlike: !differing.some((name) => validation.includes(name)) }
}

/** What an older version did not know of, it did not do. */
const meaning = (value: unknown): string =>
  value === undefined || value === 0 || value === false || value === 'none' ? 'off' : String(value)

/** Which faces the epochs were measured on. */
const validation: readonly string[] = ['validatedOn', 'validationFaces']

function summarised({ folder, log, summary, ended }: RunFiles): ComparedRun {
  const epochs = log.map(measuredEpoch)
  const best = bestOf(epochs)
  const minutes = secondsOf(summary, log) / 60
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

/** As a run chooses it: by accuracy; of two alike, the more certain of the truth; else the earlier. */
function bestOf(epochs: readonly MeasuredEpoch[]): (MeasuredEpoch & Measured) | undefined {
  const measured = epochs.filter((epoch): epoch is MeasuredEpoch & Measured => isNumber(epoch.accuracy))
  return measured.reduce<(typeof measured)[0] | undefined>(
    (best, epoch) => (isBetter(epoch, best) ? epoch : best),
    undefined,
  )
}

const isBetter = (epoch: Measured, best: Measured | undefined): boolean =>
  !best ||
  epoch.accuracy > best.accuracy ||
  (epoch.accuracy === best.accuracy && (epoch.nll ?? Infinity) < (best.nll ?? Infinity))

const secondsOf = ({ seconds }: Fields, log: readonly Fields[]): number =>
  isNumber(seconds) ? seconds : log.reduce((sum, epoch) => sum + Number(epoch.seconds), 0)

function begunWith({ provenance }: Fields): ReadonlyMap<string, unknown> {
  const { data, validatedOn, trainingFaces, validationFaces, options, versions } = Object(provenance)
  const fields = { ...Object(options), data, trainingFaces, validatedOn, validationFaces, versions }
  return new Map(flattened(fields))
}
