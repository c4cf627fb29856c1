import { readFile, writeFile } from 'node:fs/promises'

export interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}
export type Header = { __metadata__?: Record<string, string> } & Record<string, Entry>

/** A safetensors file taken apart: its header, and the bytes behind it. */
export async function takeApart(path: string): Promise<{ header: Header; data: Buffer }> {
  const bytes = await readFile(path)
  const length = Number(bytes.readBigUInt64LE())
  return { header: JSON.parse(bytes.subarray(8, 8 + length).toString()), data: bytes.subarray(8 + length) }
}

/** Put together again, however wrong; a header that is not an object is written as it is. */
export async function putTogether(
  path: string,
  header: Header | string | Buffer,
  data: Uint8Array,
): Promise<string> {
  const isRaw = typeof header === 'string' || Buffer.isBuffer(header)
  const json = Buffer.from(isRaw ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  await writeFile(path, Buffer.concat([length, json, data]))
  return path
}

/** The same file with its tensors renamed, and without those renamed to nothing. */
export async function rewrite(
  from: string,
  to: string,
  rename: (name: string) => string | undefined,
  metadata?: (given: Record<string, string>) => Record<string, string>,
): Promise<string> {
  const { header, data } = await takeApart(from)
  const { __metadata__: given = {}, ...entries } = header
  const kept = Object.entries(entries as Record<string, Entry>).flatMap(([name, entry]) => {
    const renamed = rename(name)
    return renamed === undefined ? [] : [{ name: renamed, entry }]
  })
  let end = 0
  const parts: Buffer[] = []
  const written: Header = { __metadata__: (metadata?.(given) ?? given) as never } as Header
  for (const { name, entry } of kept) {
    const [first, last] = entry.data_offsets
    parts.push(data.subarray(first, last))
    written[name] = { ...entry, data_offsets: [end, end + last - first] }
    end += last - first
  }
  return putTogether(to, written, Buffer.concat(parts))
}
