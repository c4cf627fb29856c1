import type { ExecutionContext } from 'ava'
import { FerError } from '../../lib/errors.js'
import { type PickleValue, readPth } from '../../lib/weights/pth.js'
import { memoryFile } from './memory-file.js'
import { byte, EMPTY_DICT, pickle, SETITEM, tensor, text } from './pickle-writer.js'
import { type ZipRecord, zip } from './zip-writer.js'

/** Two float32 values, 1 and 2. */
export const data: ZipRecord = { name: 'archive/data/0', data: Buffer.from(new Float32Array([1, 2]).buffer) }
export const order: ZipRecord = { name: 'archive/byteorder', data: Buffer.from('little') }
export const state: Buffer = pickle(EMPTY_DICT, text('weight'), tensor(), SETITEM)
export const withPickle = (bytes: Buffer): ZipRecord => ({ name: 'archive/data.pkl', data: bytes })

/** The records of a good checkpoint. */
export const records: readonly ZipRecord[] = [withPickle(state), order, data]

export const read = (bytes: Buffer): Promise<PickleValue> => readPth(memoryFile(bytes), 'some.pth')
export const readPickled = (...instructions: Buffer[]): Promise<PickleValue> =>
  read(zip([withPickle(pickle(...instructions)), data]))

export async function refused(t: ExecutionContext, reading: Promise<PickleValue>, ...parts: RegExp[]) {
  const error = await t.throwsAsync(reading, { instanceOf: FerError, code: 'ERR_BAD_MODEL' })
  t.regex(error.message, /^`some\.pth` is not a checkpoint that can be read: [^.].*\. [A-Z]/)
  for (const part of parts) t.regex(error.message, part)
}

export const many = (count: number, ...codes: Buffer[]): Buffer =>
  Buffer.alloc(count * Buffer.concat(codes).length, Buffer.concat(codes))

export const unknownInstruction: Buffer = byte(0x82) // EXT1
