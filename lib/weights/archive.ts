import type { FileHandle } from 'node:fs/promises'
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl'
import { FerError, plain } from '../errors.js'
import { refusal, resave, resaveScript } from './refusal.js'

/** As many tensors, nearly, as the largest networks have, optimizer included. */
const mostRecords = 100_000

/** What is needed of an open file (`FileHandle`). */
export type ReadableFile = Pick<FileHandle, 'read' | 'stat'>

export interface ArchiveRecord {
  /** Without the root folder: `data/0`. */
  readonly name: string
  /** Of the record's first byte, in bytes from the beginning of the file. */
  readonly offset: number
  /** In bytes. */
  readonly size: number
}

/** A record and what is before it of its own: [begin, end) in bytes. */
interface Place extends ArchiveRecord {
  readonly begin: number
  readonly end: number
}

/**
 * Lists the records of a zip archive as torch.save writes it: nothing compressed, everything in one folder. Of each
 * record only the header is read, and the file stays open. Rejects with ERR_BAD_MODEL where it is anything else.
 */
export async function listRecords(
  file: ReadableFile,
  path: string,
): Promise<ReadonlyMap<string, ArchiveRecord>> {
  try {
    const { size } = await file.stat()
    const zip = await fromRandomAccessReaderPromise(new FileReader(file, size), size, zipOptions)
    const places = await readPlaces(zip, path)
    refuseOverlaps(places, path)
    return byName(places, path)
  } catch (error) {
    throw isOurs(error) ? error : refusal(path, notAnArchive(error as Error))
  }
}

/** `length` bytes at `position`, or fewer where the file ends. */
export async function readBytes(file: ReadableFile, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let filled = 0
  for (let read = -1; filled < length && read !== 0; filled += read)
    read = (await file.read(bytes, filled, length - filled, position + filled)).bytesRead
  return bytes.subarray(0, filled)
}

const zipOptions = { strictFileNames: true, autoClose: false } as const

// yauzl's own reader closes the descriptor when it is done, and passes positions on unchecked, at which node throws
// where no caller can catch.
class FileReader extends RandomAccessReader {
  readonly #file: ReadableFile
  readonly #size: number

  constructor(file: ReadableFile, size: number) {
    super()
    this.#file = file
    this.#size = size
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    this.#fill(buffer.subarray(offset, offset + length), position).then(() => done(null), done)
  }

  async #fill(buffer: Buffer, position: number): Promise<void> {
    const isInside = position + buffer.length <= this.#size
    const bytes = isInside ? await readBytes(this.#file, position, buffer.length) : undefined
    if (bytes?.length !== buffer.length) throw new Error('unexpected end of the file')
    bytes.copy(buffer)
  }
}

async function readPlaces(zip: ZipFile, path: string): Promise<Place[]> {
  if (zip.entryCount > mostRecords) throw refusal(path, `it has more than ${mostRecords} records`)
  const places: Place[] = []
  for await (const entry of zip.eachEntry()) {
    refuseScript(entry, path)
    refuseEncoded(entry, path)
    const { fileDataStart: offset } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
    const { fileName: name, compressedSize: size, relativeOffsetOfLocalHeader: begin } = entry
    places.push({ name, offset, size, begin, end: offset + size })
  }
  return places
}

// Before its compressed records are met, for which this cure would be wrong.
function refuseScript({ fileName }: Entry, path: string): void {
  if (/^[^/]*\/(code\/|constants\.pkl$)/.test(fileName))
    throw refusal(path, 'it is a TorchScript program', resaveScript(path))
}

function refuseEncoded(entry: Entry, path: string): void {
  const record = `its record \`${plain(entry.fileName)}\``
  if (entry.isEncrypted())
    throw refusal(path, `${record} is encrypted`, 'Take the file as torch.save wrote it')
  if (entry.compressionMethod !== 0)
    throw refusal(path, `${record} is compressed, which torch.save never does`, resave(path))
}

function refuseOverlaps(places: readonly Place[], path: string): void {
  const sorted = places.toSorted((one, other) => one.begin - other.begin)
  for (const [i, { name, begin }] of sorted.entries()) {
    const before = sorted[i - 1]
    if (before && before.end > begin)
      throw refusal(path, `its records \`${plain(before.name)}\` and \`${plain(name)}\` overlap`)
  }
}

function byName(places: readonly Place[], path: string): ReadonlyMap<string, ArchiveRecord> {
  const records = new Map<string, ArchiveRecord>()
  const root = rootOf(places[0]?.name ?? '')
  for (const { name: whole, offset, size } of places) {
    if (root === '' || rootOf(whole) !== root)
      throw refusal(path, 'its records are not in one folder', resave(path))
    const name = whole.slice(root.length)
    if (records.has(name)) throw refusal(path, `it has two records \`${plain(name)}\``)
    records.set(name, { name, offset, size })
  }
  return records
}

/** Up to and with the first slash. */
const rootOf = (name: string): string => name.slice(0, name.indexOf('/') + 1)

const isOurs = (error: unknown): boolean =>
  error instanceof FerError || (error instanceof Error && 'syscall' in error)

function notAnArchive({ message }: Error): string {
  return message.startsWith('End of central directory record signature not found')
    ? 'it is not a zip archive, as torch.save writes, or it is truncated'
    : `its zip archive is damaged (${plain(message)})`
}
