import { type FileHandle, open, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FerError } from '../errors.js'

/** Lends an open file, and closes it when what was written meanwhile is done. */
export async function withFile<T>(
  path: string,
  flags: string | number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

/** As many bytes as the file has from there on. One read may give less than it is asked for. */
export async function readWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0
  for (let count = 1; count > 0 && done < bytes.length; done += count)
    count = (await file.read(bytes, done, bytes.length - done, position + done)).bytesRead
  return done
}

/** One write may take less than it is given. */
export async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** What the system refuses in `act` as an ERR_OUTPUT that names the pack. */
export async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const { code, message } = (error ?? {}) as NodeJS.ErrnoException
    if (error instanceof FerError || !code?.startsWith('E') || code.startsWith('ERR_')) throw error
    throw cannotWrite(path, message, error)
  }
}

/** ERR_OUTPUT where the disk that is to hold `path` has no room for so many more bytes. */
export async function checkSpace(path: string, bytes: number): Promise<void> {
  const free = await freeSpace(dirname(path))
  if (free < bytes)
    throw cannotWrite(path, `they take ${inUnits(bytes)}, and ${inUnits(free)} are free there`)
}

/** Bytes; infinity where the file system does not know or does not say. */
async function freeSpace(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => undefined)
  return found && found.blocks > 0 ? found.bavail * found.bsize : Number.POSITIVE_INFINITY
}

function cannotWrite(path: string, why: string, cause?: unknown): FerError {
  const cure = 'Free space there, or name another folder in the environment variable FER_TORCH_CACHE'
  return new FerError('ERR_OUTPUT', `Cannot write the packed pictures to \`${path}\`: ${why}. ${cure}`, {
    cause,
  })
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

function inUnits(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1)
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`
}
