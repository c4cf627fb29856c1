/** Instructions of pickles, by their names in Python's pickletools. */
export const PROTO = byte(0x80, 2)
export const MARK = byte(0x28)
export const STOP = byte(0x2e)
export const POP = byte(0x30)
export const NONE = byte(0x4e)
export const NEWTRUE = byte(0x88)
export const NEWFALSE = byte(0x89)
export const EMPTY_LIST = byte(0x5d)
export const EMPTY_TUPLE = byte(0x29)
export const EMPTY_DICT = byte(0x7d)
export const LIST = byte(0x6c)
export const TUPLE = byte(0x74)
export const DICT = byte(0x64)
export const TUPLE2 = byte(0x86)
export const APPEND = byte(0x61)
export const APPENDS = byte(0x65)
export const SETITEM = byte(0x73)
export const SETITEMS = byte(0x75)
export const BINPERSID = byte(0x51)
export const REDUCE = byte(0x52)
export const BUILD = byte(0x62)
export const MEMOIZE = byte(0x94)
export const STACK_GLOBAL = byte(0x93)
export const BINPUT = (index: number): Buffer => byte(0x71, index)
export const BINGET = (index: number): Buffer => byte(0x68, index)
export const LONG_BINPUT = (index: number): Buffer => withUint32(0x72, index)
export const LONG_BINGET = (index: number): Buffer => withUint32(0x6a, index)

export function byte(...values: number[]): Buffer {
  return Buffer.from(values)
}

export const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`)

export function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([withUint32(0x58, bytes.length), bytes])
}

/** LONG1, which has no largest value that matters here. */
export function integer(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)))
  bytes.writeBigInt64LE(BigInt(value) >> 64n, 8)
  return Buffer.concat([byte(0x8a, 16), bytes])
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(9, 0x47)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

export const tuple = (...items: Buffer[]): Buffer => Buffer.concat([MARK, ...items, TUPLE])
export const pickle = (...instructions: Buffer[]): Buffer => Buffer.concat([PROTO, ...instructions, STOP])

export interface TensorParts {
  readonly storage?: string
  readonly key?: string
  readonly count?: number
  readonly first?: number
  readonly shape?: readonly (number | bigint)[]
  readonly strides?: readonly (number | bigint)[]
  readonly more?: readonly Buffer[]
}

/** What torch.save writes for a tensor: by default, two float32 values in the record data/0. */
export function tensor(parts: TensorParts = {}): Buffer {
  const {
    storage = 'FloatStorage',
    key = '0',
    count = 2,
    first = 0,
    shape = [2],
    strides = [1],
    more = [],
  } = parts
  const id = tuple(text('storage'), global('torch', storage), text(key), text('cpu'), integer(count))
  const hooks = Buffer.concat([global('collections', 'OrderedDict'), EMPTY_TUPLE, REDUCE])
  const sides = [shape, strides].map((values) => tuple(...values.map(integer)))
  const args = tuple(id, BINPERSID, integer(first), ...sides, NEWFALSE, hooks, ...more)
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, REDUCE])
}

function withUint32(code: number, value: number): Buffer {
  const bytes = Buffer.alloc(5, code)
  bytes.writeUInt32LE(value, 1)
  return bytes
}
