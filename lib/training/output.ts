import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FerError } from '../errors.js'

const names = {
  best: 'best.safetensors',
  last: 'last.safetensors',
  log: 'log.jsonl',
  metrics: 'metrics.json',
} as const

/** The files of one run. */
export interface Output {
  readonly best: string
  readonly last: string
  readonly log: string
  readonly metrics: string
}

/**
 * Makes the folder if it is missing, and the log, which claims it: of two runs only one can make it. ERR_OUTPUT_EXISTS
 * where the folder holds a run already, ERR_OUTPUT where it cannot be written.
 */
export async function claimOutput(folder: string): Promise<Output> {
  const at = (name: string) => join(folder, name)
  const present = await writing(folder, async () => {
    await mkdir(folder, { recursive: true })
    return readdir(folder)
  })
  const found = Object.values(names).find((name) => present.includes(name))
  if (found || !(await claim(at(names.log)))) {
    throw new FerError(
      'ERR_OUTPUT_EXISTS',
      `\`${folder}\` already holds a run (${found ?? names.log}). Name another folder, or remove that one`,
    )
  }
  return { best: at(names.best), last: at(names.last), log: at(names.log), metrics: at(names.metrics) }
}

const claim = (path: string): Promise<boolean> =>
  writing(path, async () => {
    try {
      await writeFile(path, '', { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  })

/** Gives the folder back where nothing was learned: another run may then have it. */
export async function releaseOutput({ last, log }: Output): Promise<void> {
  const isThere = await stat(last).catch(() => undefined)
  if (!isThere) await rm(log, { force: true })
}

export const writeLog = (path: string, lines: readonly unknown[]): Promise<void> =>
  writeAtomically(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`)

/** To a temporary beside it, flushed to disk, then renamed. */
const writeAtomically = (path: string, text: string): Promise<void> =>
  writing(path, async () => {
    const temporary = `${path}.tmp`
    try {
      await writeFile(temporary, text, { flush: true })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  })

async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const why = (error as Error).message
    throw new FerError(
      'ERR_OUTPUT',
      `Cannot write \`${path}\`: ${why}. Free space or choose another folder`,
      {
        cause: error,
      },
    )
  }
}
