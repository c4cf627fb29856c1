import { plain } from '../errors.js'
import { type ArchiveRecord, listRecords, type ReadableFile, readBytes } from './archive.js'
import { largestPickle, readPickle } from './pickle.js'
import { refusal, resave, resaveWeights } from './refusal.js'
import type { PickleValue } from './values.js'

export type { ReadableFile } from './archive.js'
export * from './values.js'

// Before PyTorch 1.6 a file began with this number, pickled: 0x1950a86a20f9469cfc6c.
// torch/serialization.py, MAGIC_NUMBER
const legacyStart = Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex')
/** The longest byte order is `little`; a damaged size must not be allocated. */
const longestByteOrder = 16

/**
 * Reads what torch.save wrote into a zip archive (`.pth`, `.pt`; PyTorch 1.6 or later), and nothing of its tensors,
 * which come as `StoredTensor`: checked places in the file. Runs no code of the file, and leaves it open. `path` is
 * for messages. Rejects with ERR_BAD_MODEL, naming what is wrong and the cure; errors of the system pass through.
 */
export async function readPth(file: ReadableFile, path: string): Promise<PickleValue> {
  await refuseLegacy(file, path)
  const records = await listRecords(file, path)
  await refuseBigEndian(file, records, path)
  return readPickle(await pickleOf(file, records, path), records, path)
}

type Records = ReadonlyMap<string, ArchiveRecord>

async function refuseLegacy(file: ReadableFile, path: string): Promise<void> {
  if (!(await readBytes(file, 0, legacyStart.length)).equals(legacyStart)) return
  throw refusal(path, 'it was written before PyTorch 1.6, or in that format', resave(path))
}

async function refuseBigEndian(file: ReadableFile, records: Records, path: string): Promise<void> {
  const record = records.get('byteorder')
  if (!record) return
  const order = (await readBytes(file, record.offset, Math.min(record.size, longestByteOrder))).toString()
  if (order !== 'little')
    throw refusal(path, `its byte order is \`${plain(order)}\`, not \`little\``, resave(path))
}

async function pickleOf(file: ReadableFile, records: Records, path: string): Promise<Buffer> {
  const record = records.get('data.pkl')
  if (!record) throw refusal(path, 'it has no record `data.pkl`, which torch.save writes')
  if (record.size > largestPickle)
    throw refusal(
      path,
      `its pickle has ${record.size} bytes, more than ${largestPickle}`,
      resaveWeights(path),
    )
  const bytes = await readBytes(file, record.offset, record.size)
  if (bytes.length < record.size) throw refusal(path, 'it became shorter while it was read')
  return bytes
}
