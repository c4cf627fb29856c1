import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type PackOptions, pack } from '../../lib/images/pack.js'
import { outputFolder } from '../trained.js'
import { type Behaviour, count, countedFaces, options } from './pack-faces.js'

/** Packs them, until `stopAt` pictures are done, where given; and tells what was read and reported. */
export async function packInto(
  folder: string,
  { stopAt, ...behaviour }: Behaviour & { stopAt?: number } = {},
  given: Partial<PackOptions> = {},
) {
  const { split, reads } = countedFaces({ ...behaviour, ...(stopAt ? { hangsFrom: stopAt } : {}) })
  const progress: number[] = []
  const stop = new AbortController()
  const onProgress = (done: number) => {
    progress.push(done)
    if (done === stopAt) stop.abort(stopped)
  }
  const call = pack(split, { ...options, folder, onProgress, signal: stop.signal, ...given })
  const error: unknown = await call.then(
    () => undefined,
    (reason) => reason,
  )
  return { error, reads, progress }
}

/** What a call that was stopped rejects with. */
export const stopped = new Error('stopped by the test')

/** The folder, and in it what was begun of a pack when so many pictures were done. */
export async function begunPack(
  stopAt: number,
  behaviour: Behaviour = {},
  folder = outputFolder(),
): Promise<string> {
  const { error } = await packInto(folder, { ...behaviour, stopAt })
  if (error !== stopped) throw new Error('it was not stopped', { cause: error })
  return folder
}

/** The bytes of the only thing in the folder, the pack. */
async function packIn(folder: string): Promise<Buffer> {
  const [name, ...others] = await readdir(folder)
  if (others.length > 0 || !name?.endsWith('.safetensors')) throw new Error(`found ${[name, ...others]}`)
  return readFile(join(folder, name))
}

/** Whether that is, to the byte, what the faces give when they are packed in one go. */
export async function isWholePack(folder: string, behaviour: Behaviour = {}): Promise<boolean> {
  const reference = outputFolder()
  const { error } = await packInto(reference, behaviour)
  if (error) throw error
  return (await packIn(folder)).equals(await packIn(reference))
}

/** The folder of what was begun in `folder`. */
export async function partialIn(folder: string): Promise<string> {
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith('.partial'))
  return join(folder, name!)
}

/** A process that packs into the folder, and a promise for the moment when so many pictures are done, or all. */
export function packingProcess(folder: string, behaviour: Behaviour, until = count) {
  const file = fileURLToPath(new URL('pack-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import=tsx', file, folder, JSON.stringify(behaviour)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { child, reached: reached(child, until), ended: ended(child) }
}

async function reached(child: ChildProcess, until: number): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) if (Number(line) >= until) return
  throw new Error(`the process ended before ${until} pictures were done`)
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)))
