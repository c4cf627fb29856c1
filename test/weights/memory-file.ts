import type { ReadableFile } from '../../lib/weights/archive.js'

/** Bytes that are read as an open file is, for tests that read thousands. */
export function memoryFile(bytes: Buffer): ReadableFile {
  const read = async (into: Buffer, offset: number, length: number, position: number) => ({
    bytesRead: bytes.subarray(position, position + length).copy(into, offset),
    buffer: into,
  })
  return { read, stat: async () => ({ size: bytes.length }) } as unknown as ReadableFile
}
