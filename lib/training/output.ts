import { appendFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
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

/** Makes the folder if it is missing. ERR_OUTPUT_EXISTS where it holds a run already, ERR_OUTPUT where it cannot be made. */
export async function claimOutput(folder: string): Promise<Output> {
  const present = await writing(folder, async () => {
    await mkdir(folder, { recursive: true })
    return readdir(folder)
  })
  const found = Object.values(names).find((name) => present.includes(name))
  if (found) {
    throw new FerError(
      'ERR_OUTPUT_EXISTS',
      `\`${folder}\` already holds a run (${found}). Name another folder, or remove that one`,
    )
  }
  const at = (name: string) => join(folder, name)
  return { best: at(names.best), last: at(names.last), log: at(names.log), metrics: at(names.metrics) }
}

/** Adds one line; a line cut short by a crash leaves those before it whole. */
export const appendLog = (path: string, entry: unknown): Promise<void> =>
  writing(path, () => appendFile(path, `${JSON.stringify(entry)}\n`))

/** To a temporary beside it, then renamed. */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writing(path, async () => {
    const temporary = `${path}.tmp`
    try {
      await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { flush: true })
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
      { cause: error },
    )
  }
}
