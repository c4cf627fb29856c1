import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FerError } from '../../errors.js'
import { readHeader } from '../../safetensors.js'

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
  if (text === undefined) throw noRun(folder, 'it has no log.jsonl')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw noRun(folder, 'its log.jsonl has no epoch yet')
  const log = lines.map((line, i) => parsed(line, folder, `line ${i + 1} of its log.jsonl`))
  const metrics = await textOf(folder, 'metrics.json')
  return {
    folder,
    log,
    summary:
      metrics === undefined ? await summaryOfModel(folder) : parsed(metrics, folder, 'its metrics.json'),
    ended: metrics !== undefined,
  }
}

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

function objectIn(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}

async function summaryOfModel(folder: string): Promise<Fields> {
  try {
    const { metadata } = await readHeader(join(folder, 'last.safetensors'))
    return objectIn(metadata.model) ?? {}
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
