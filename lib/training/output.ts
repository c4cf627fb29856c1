import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { FerError } from '../errors.js'
import { writeAtomically, writing } from '../files.js'
import { native } from '../native.js'

const names = {
  best: 'best.safetensors',
  last: 'last.safetensors',
  checkpoint: 'checkpoint.safetensors',
  log: 'log.jsonl',
  metrics: 'metrics.json',
  report: 'report.html',
} as const

/** The files of one run, held for it alone until `release` is called. */
export type Output = Readonly<Record<keyof typeof names, string>> & {
  readonly release: () => void
  /** Whether there is a checkpoint to go on from. */
  readonly begun: boolean
}

/**
 * Makes the folder if it is missing and locks it. ERR_OUTPUT_EXISTS where another run writes to it, or it holds a run
 * that is not to be resumed; ERR_OUTPUT where it cannot be written.
 */
export async function claimOutput(folder: string, resume: boolean): Promise<Output> {
  const release = await writing(folder, async () => {
    await makeFolder(resolve(folder))
    return native.lockFolder(folder)
  })
  if (!release) {
    throw new FerError(
      'ERR_OUTPUT_EXISTS',
      `Another run is writing to \`${folder}\`. Wait for its end, or name another folder`,
    )
  }
  try {
    const present = await readdir(folder)
    const begun = present.includes(names.checkpoint)
    if (!resume || !begun) refuseRun(folder, present, begun)
    const paths = Object.entries(names).map(([key, name]) => [key, join(folder, name)])
    return { ...Object.fromEntries(paths), release, begun }
  } catch (error) {
    release()
    throw error
  }
}

/** With its parents. Node's own way does not return where the file system, as /proc, denies that they exist. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await mkdir(folder)
  }
}

function refuseRun(folder: string, present: readonly string[], begun: boolean): void {
  const found = Object.values(names).find((name) => present.includes(name))
  if (!found) return
  const state = begun
    ? `already holds a run (${found})`
    : `holds a run (${found}) without a checkpoint to go on from`
  const cure = begun ? 'Go on with it with `resume`, name another folder' : 'Name another folder'
  throw new FerError('ERR_OUTPUT_EXISTS', `\`${folder}\` ${state}. ${cure}, or remove that one`)
}

export const writeLog = (path: string, lines: readonly unknown[]): Promise<void> =>
  writeAtomically(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`)
