import { type FileHandle, open } from 'node:fs/promises'
import { FerError, plain } from './errors.js'
import type { TensorEntry, TensorPlace } from './native.js'
import type { DType } from './tensor.js'

// The safetensors format: the header's length (8 bytes, little-endian), a JSON header, then the tensors' bytes.
// https://github.com/huggingface/safetensors

const codes: Readonly<Record<DType, string>> = {
  uint8: 'U8',
  int32: 'I32',
  int64: 'I64',
  bfloat16: 'BF16',
  float16: 'F16',
  float32: 'F32',
  float64: 'F64',
}
const bytesPerItem: Readonly<Record<DType, number>> = {
  uint8: 1,
  int32: 4,
  int64: 8,
  bfloat16: 2,
  float16: 2,
  float32: 4,
  float64: 8,
}
/** Bytes: enough for the log of 10,000 epochs, which a checkpoint keeps in its header. */
const largestHeader = 2 ** 25
/** Commas and opening brackets outside of strings, a dozen a tensor: what JSON costs in memory and time. */
const mostPunctuation = 1_000_000
const longestName = 200
const mostSides = 8

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: readonly TensorPlace[]
}

export const byteLength = ({ dtype, shape }: Omit<TensorEntry, 'name'>): number =>
  shape.reduce((product, side) => product * side, bytesPerItem[dtype])

/** Everything of a file that comes before the tensors, which must follow in the order given. */
export function makePrefix(
  tensors: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let begin = 0
  for (const tensor of tensors) {
    const end = begin + byteLength(tensor)
    header[tensor.name] = { dtype: codes[tensor.dtype], shape: tensor.shape, data_offsets: [begin, end] }
    begin = end
  }
  const json = Buffer.from(JSON.stringify(header))
  if (json.length > largestHeader)
    throw new FerError(
      'ERR_OUTPUT',
      `A header of ${json.length} bytes could not be read again. Use fewer epochs or classes`,
    )
  // Spaces bring the tensors to a multiple of 8 bytes, so that mapped int64 values are aligned.
  const length = Math.ceil(json.length / 8) * 8
  const prefix = Buffer.alloc(8 + length, ' ')
  prefix.writeBigUInt64LE(BigInt(length))
  json.copy(prefix, 8)
  return prefix
}

/** The header of the file at `path`, read as by `readHeaderOf`. */
export async function readHeader(path: string): Promise<SafetensorsHeader> {
  const file = await open(path)
  try {
    return await readHeaderOf(file, path)
  } finally {
    await file.close()
  }
}

/** Reads and checks a header; nothing of the tensors is read. ERR_BAD_MODEL names the file and what is wrong. */
export async function readHeaderOf(file: FileHandle, path: string): Promise<SafetensorsHeader> {
  const bad = (what: string) =>
    new FerError(
      'ERR_BAD_MODEL',
      `\`${path}\` is not a safetensors file: ${what}. Check that it is the right file, or copy it anew`,
    )
  const { size } = await file.stat()
  const { buffer: start } = await file.read(Buffer.alloc(8), 0, 8, 0)
  const length = size < 8 ? 0n : start.readBigUInt64LE()
  if (length < 2n || length > BigInt(Math.min(size - 8, largestHeader)))
    throw bad(`its header would have ${length} bytes`)
  const { buffer: json, bytesRead } = await file.read(Buffer.alloc(Number(length)), 0, Number(length), 8)
  if (bytesRead < length) throw bad('it is truncated')
  return parseHeader(readJson(json, bad), 8 + Number(length), size, bad)
}

function readJson(bytes: Uint8Array, bad: (what: string) => FerError): unknown {
  if (hasTooMuchPunctuation(bytes)) throw bad('its header lists more than any model holds')
  try {
    // `ignoreBOM` leaves it in place, as the format has none.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw bad('its header is not JSON')
  }
}

/** Of 100 MB of brackets and keys JSON.parse makes 3 GB of objects, in minutes in which nothing else runs. */
function hasTooMuchPunctuation(json: Uint8Array): boolean {
  const [quote, backslash, comma, bracket, brace] = Buffer.from('"\\,[{') as Iterable<number>
  let [count, inText] = [0, false]
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]
    if (byte === quote) inText = !inText
    else if (inText) i += byte === backslash ? 1 : 0
    else if (byte === comma || byte === bracket || byte === brace) count++
  }
  return count > mostPunctuation
}

function parseHeader(
  header: unknown,
  start: number,
  size: number,
  bad: (what: string) => FerError,
): SafetensorsHeader {
  if (!isObject(header)) throw bad('its header is not an object')
  const { __metadata__: metadata = {}, ...entries } = header
  if (!isObject(metadata)) throw bad('its metadata are not an object')
  const texts = Object.entries(metadata).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const tensors = Object.entries(entries).map(([name, entry]) => readEntry(name, entry, start, size, bad))
  checkLayout(tensors, start, size, bad)
  return { metadata: Object.fromEntries(texts), tensors }
}

/** The format has neither gaps nor overlaps. A name given twice leaves a gap, since JSON keeps the last. */
function checkLayout(
  tensors: readonly TensorPlace[],
  start: number,
  size: number,
  bad: (what: string) => FerError,
): void {
  let end = start
  for (const tensor of tensors.toSorted((a, b) => a.offset - b.offset || byteLength(a) - byteLength(b))) {
    if (tensor.offset !== end)
      throw bad(`tensor \`${plain(tensor.name)}\` does not begin where the one before it ends`)
    end += byteLength(tensor)
  }
  if (end !== size) throw bad(`it has ${size - end} bytes that belong to no tensor`)
}

function readEntry(
  name: string,
  entry: unknown,
  start: number,
  size: number,
  bad: (what: string) => FerError,
): TensorPlace {
  if (plain(name, longestName) !== name) throw bad(`tensor \`${plain(name)}\` has no proper name`)
  const { dtype: code, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
  const dtype = (Object.keys(codes) as DType[]).find((key) => codes[key] === code)
  if (!dtype) throw bad(`tensor \`${plain(name)}\` has the type ${plain(code)}, which is not read`)
  if (!isCounts(shape) || shape.length > mostSides) throw bad(`tensor \`${plain(name)}\` has no proper shape`)
  if (!isCounts(offsets) || offsets.length !== 2) throw bad(`tensor \`${plain(name)}\` has no proper place`)
  const [begin, end] = offsets as [number, number]
  if (end - begin !== byteLength({ dtype, shape }))
    throw bad(`tensor \`${plain(name)}\` has ${end - begin} bytes, which its shape does not fit`)
  if (start + end > size) throw bad(`tensor \`${plain(name)}\` lies beyond its end: it is truncated`)
  return { name, dtype, shape, offset: start + begin }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
