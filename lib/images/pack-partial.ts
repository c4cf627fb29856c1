import { constants } from 'node:fs'
import { type FileHandle, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { onDisk, readWhole, withFile, writeWhole } from './pack-disk.js'
import type { Layout } from './pack-file.js'
import { PackRecord } from './pack-record.js'

// A partial pack is a folder: the file, of its full size from the beginning, and the record of what it holds.

export const fileIn = (folder: string): string => join(folder, 'pack.safetensors')
const recordIn = (folder: string): string => join(folder, 'record')
const create = constants.O_RDWR | constants.O_CREAT

/** Whether there is anything to go on with. */
export const holdsPictures = (folder: string): Promise<boolean> =>
  stat(recordIn(folder)).then(
    (found) => found.isFile() && found.size > 0,
    () => false,
  )

/** Bytes of the disk that it takes already. */
export const bytesHeld = (folder: string): Promise<number> =>
  stat(fileIn(folder)).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  )

export interface Begun {
  readonly folder: string
  /** The pack once it is whole, for errors. */
  readonly path: string
  readonly layout: Layout
}

/** A pack that is being filled. */
export class PartialPack {
  readonly #file: FileHandle
  readonly #begun: Begun
  readonly #record: PackRecord

  constructor(file: FileHandle, begun: Begun, record: PackRecord) {
    this.#file = file
    this.#begun = begun
    this.#record = record
  }

  /** Indices of the pictures that are yet to be added. */
  get missing(): number[] {
    return this.#record.missing
  }

  async add(index: number, pixels: Uint8Array, digest: Uint8Array): Promise<void> {
    const { path, layout } = this.#begun
    await onDisk(path, async () => {
      await writeWhole(this.#file, pixels, layout.pixels.offset + index * pixels.length)
      // Flushed before they are recorded: after a power failure, what the record says is there.
      if (this.#record.note(index, digest)) {
        await this.#file.datasync()
        await this.#record.write(index)
      }
    })
  }

  async complete(): Promise<void> {
    await writeWhole(this.#file, this.#record.digests, this.#begun.layout.digests.offset)
    await this.#file.sync()
  }
}

/**
 * Goes on with the partial pack of this layout in the folder, or begins it: lets it be filled, and completes it.
 * ERR_OUTPUT.
 */
export async function withPartialPack(
  begun: Begun,
  fill: (pack: PartialPack) => Promise<void>,
): Promise<void> {
  const stopped = await onDisk(begun.path, () =>
    opened(begun, async (pack) => {
      // Kept apart: what stops it need not be the disk.
      const stopped = await fill(pack).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      if (!stopped) await pack.complete()
      return stopped
    }),
  )
  if (stopped) throw stopped.error
}

async function opened<T>(begun: Begun, use: (pack: PartialPack) => Promise<T>): Promise<T> {
  const { folder, layout } = begun
  if (!(await isBegun(begun)))
    for (const path of [recordIn(folder), fileIn(folder)]) await rm(path, { recursive: true, force: true })
  return withFile(recordIn(folder), create, (recordFile) =>
    withFile(fileIn(folder), create, async (file) => {
      await writeWhole(file, layout.head, 0)
      await file.truncate(layout.byteLength)
      return use(new PartialPack(file, begun, await PackRecord.read(recordFile, layout)))
    }),
  )
}

/** Whether a file of the same size, header, labels and names is there. */
async function isBegun({ folder, layout: { head, byteLength } }: Begun): Promise<boolean> {
  try {
    return await withFile(fileIn(folder), 'r', async (file) => {
      const found = Buffer.alloc(head.length)
      await readWhole(file, found, 0)
      return found.equals(head) && (await file.stat()).size === byteLength
    })
  } catch {
    // Missing, or not a file.
    return false
  }
}
