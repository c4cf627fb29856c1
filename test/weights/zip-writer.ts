import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipRecord {
  readonly name: string
  readonly data?: Uint8Array
  readonly compressed?: boolean
  /** Bit 0 says that it is encrypted. */
  readonly flags?: number
  /** What the directory says, where it lies. */
  readonly claims?: { readonly size?: number; readonly begin?: number }
}

/** A zip archive, of whose records any may lie. */
export function zip(records: readonly ZipRecord[], claims: { readonly count?: number } = {}): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let begin = 0
  for (const record of records) {
    const local = localRecord(record)
    directory.push(directoryRecord(record, record.claims?.begin ?? begin))
    locals.push(local)
    begin += local.length
  }
  return Buffer.concat([...locals, ...directory, ending(directory, begin, claims.count ?? records.length)])
}

function common({ data = Buffer.alloc(0), compressed = false, flags = 0, name, claims }: ZipRecord): Buffer {
  const stored = compressed ? deflateRawSync(data) : data
  return numbers(
    [2, 20],
    [2, flags],
    [2, compressed ? 8 : 0],
    [4, 0],
    [4, crc32(data)],
    [4, claims?.size ?? stored.length],
    [4, claims?.size ?? data.length],
    [2, Buffer.byteLength(name)],
    [2, 0],
  )
}

function localRecord(record: ZipRecord): Buffer {
  const { data = Buffer.alloc(0), compressed = false, name } = record
  const stored = compressed ? deflateRawSync(data) : data
  return Buffer.concat([numbers([4, 0x04034b50]), common(record), Buffer.from(name), stored])
}

function directoryRecord(record: ZipRecord, begin: number): Buffer {
  const name = Buffer.from(record.name)
  const rest = numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, begin])
  return Buffer.concat([numbers([4, 0x02014b50], [2, 20]), common(record), rest, name])
}

function ending(directory: readonly Buffer[], begin: number, count: number): Buffer {
  const size = Buffer.concat(directory).length
  return numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, begin], [2, 0])
}

/** The 64-bit ending that goes before the other, with a directory wherever it pleases. */
export function zip64Ending(locator: bigint): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32LE(0x07064b50)
  bytes.writeBigUInt64LE(locator, 8)
  return bytes
}

/** Pairs of a length in bytes and a value, little-endian. */
function numbers(...fields: readonly (readonly [2 | 4, number])[]): Buffer {
  const parts = fields.map(([length, value]) => {
    const bytes = Buffer.alloc(length)
    bytes.writeUIntLE(value, 0, length)
    return bytes
  })
  return Buffer.concat(parts)
}
