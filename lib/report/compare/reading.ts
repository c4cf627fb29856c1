import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FerError } from '../../errors.js'
import { readHeader } from '../../safetensors.js'
import { isGroup } from '../fields.js'
import { isNumber } from '../page/numbers.js'

/** The files of a run, as they were found: of whatever version, and perhaps of a run that goes on. */
export interface RunFiles {
  /** As it was named. */
  readonly folder: string
  /** One object an epoch. */
  readonly log: readonly Fields[]
  /** What `metrics.json` holds; of a run that has not ended what the latest model says of itself, or nothing. */
  readonly summary: Fields
  readonly ended: boolean
}

export type Fields = Readonly<Record<string, unknown>>

/** ERR_INVALID_OPTION, naming the folder, where it is not one that `train` wrote at least an epoch to. */
export async function readRun(folder: string): Promise<RunFiles> {
  const text = await textOf(folder, 'log.jsonl')
  if (text === undefined) throw noRun(folder, 'it has no log.jsonl, which is written after the first epoch')
  const log = epochsIn(text, folder)
  if (log.length === 0) throw noRun(folder, 'its log.jsonl has no epoch yet')
  const metrics = await textOf(folder, 'metrics.json')
  const summary = metrics === undefined ? undefined : parsed(metrics, folder, 'its metrics.json')
  return summary && isOf(summary, log)
    ? { folder, log, summary, ended: true }
    : { folder, log, summary: await summaryOfModel(folder), ended: false }
}

/** A last line that has no end may be cut, as in a copy made while it was written: that epoch is then not there yet. */
function epochsIn(log: string, folder: string): Fields[] {
  const lines = log.split('\n')
  const unended = objectIn(lines.pop()!)
  const ended = lines.flatMap((line, i) =>
    line.trim() === '' ? [] : [parsed(line, folder, `line ${i + 1} of its log.jsonl`)],
  )
  return unended ? [...ended, unended] : ended
}

/** A run that goes on with more epochs keeps the summary of its first end, while the log tells of more time. */
const isOf = ({ seconds }: Fields, log: readonly Fields[]): boolean =>
  // As the two were added up in another order.
  !(isNumber(seconds) && secondsIn(log) > seconds * (1 + 1e-6))

/** Training and validation; not a number where an epoch does not say. */
export const secondsIn = (log: readonly Fields[]): number =>
  log.reduce((sum, { seconds }) => sum + (isNumber(seconds) ? seconds : Number.NaN), 0)

async function textOf(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw noRun(folder, message)
  }
}

function parsed(text: string, folder: string, what: string): Fields {
  const value = objectIn(text)
  if (!value) throw noRun(folder, `${what} is not a JSON object`)
  return value
}

function objectIn(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isGroup(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function summaryOfModel(folder: string): Promise<Fields> {
  try {
    const { metadata } = await readHeader(join(folder, 'last.safetensors'))
    return objectIn(metadata.model ?? '') ?? {}
  } catch {
    // The log alone tells how the run goes.
    return {}
  }
}

const noRun = (folder: string, why: string): FerError =>
  new FerError(
    'ERR_INVALID_OPTION',
    `Expected \`RUN\` to be the folder of a training run, got \`${folder}\`: ${why}. Give a folder that was the \`output\` of train`,
  )
