import { isUtf8 } from 'node:buffer'
import { plain } from '../errors.js'
import type { ArchiveRecord } from './archive.js'
import { refusal, resaveWeights } from './refusal.js'
import { findItems, rebuildParameter, rebuildTensor, storageTypes } from './tensors.js'
import { KnownFunction, type PickleKey, type PickleValue, type StorageType } from './values.js'

// A pickle is a program for a stack machine, https://docs.python.org/3/library/pickletools.html. This one knows the
// instructions that torch.save writes, and where Python would import and call, it takes one of `globals` or refuses.

/** In bytes; weights lie outside the pickle, which has about a hundred bytes a tensor. */
export const largestPickle = 64 * 2 ** 20
/** Of about 40 a tensor. Bounds memory: an instruction of one byte makes a list or dict of a hundred or more. */
const mostInstructions = 1_000_000
// Optimizers number their parameters. A Map hashes numbers without a secret, so larger ones can be made to collide.
const largestKey = 1_000_000

const globals: ReadonlyMap<string, StorageType | KnownFunction> = new Map(
  [
    ...storageTypes,
    new KnownFunction('collections.OrderedDict', emptyDict),
    new KnownFunction('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new KnownFunction('torch._utils._rebuild_parameter', rebuildParameter),
  ].map((known) => [known.name, known]),
)

/**
 * The value that a pickle of torch.save describes; nothing of it is imported or called. `records` are those of its
 * archive, by name, to which its tensors refer; `path` is for messages. Throws ERR_BAD_MODEL. Time and memory are
 * bounded by the pickle's size, however it is nested.
 */
export function readPickle(
  bytes: Uint8Array,
  records: ReadonlyMap<string, ArchiveRecord>,
  path: string,
): PickleValue {
  if (bytes.length > largestPickle)
    throw refusal(
      path,
      `its pickle has ${bytes.length} bytes, more than ${largestPickle}`,
      resaveWeights(path),
    )
  return new Machine(bytes, records, path).run()
}

type Instruction = (machine: Machine) => void

const stop = 0x2e
const instructions: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [0x80, (machine) => machine.protocol(machine.unsigned(1))], // PROTO
  [0x95, (machine) => machine.take(8)], // FRAME
  [0x28, (machine) => machine.mark()], // MARK
  [0x30, (machine) => machine.discard()], // POP
  [0x4e, (machine) => machine.push(null)], // NONE
  [0x88, (machine) => machine.push(true)], // NEWTRUE
  [0x89, (machine) => machine.push(false)], // NEWFALSE
  [0x4a, (machine) => machine.push(machine.unsigned(4) | 0)], // BININT
  [0x4b, (machine) => machine.push(machine.unsigned(1))], // BININT1
  [0x4d, (machine) => machine.push(machine.unsigned(2))], // BININT2
  [0x8a, (machine) => machine.push(integer(machine.take(machine.unsigned(1))))], // LONG1
  [0x47, (machine) => machine.push(machine.take(8).readDoubleBE())], // BINFLOAT
  [0x58, (machine) => machine.push(machine.text(machine.unsigned(4)))], // BINUNICODE
  [0x8c, (machine) => machine.push(machine.text(machine.unsigned(1)))], // SHORT_BINUNICODE
  [0x8d, (machine) => machine.push(machine.text(machine.unsigned(8)))], // BINUNICODE8
  [0x42, (machine) => machine.push(machine.take(machine.unsigned(4)))], // BINBYTES
  [0x43, (machine) => machine.push(machine.take(machine.unsigned(1)))], // SHORT_BINBYTES
  [0x8e, (machine) => machine.push(machine.take(machine.unsigned(8)))], // BINBYTES8
  [0x5d, (machine) => machine.push([])], // EMPTY_LIST
  [0x29, (machine) => machine.push([])], // EMPTY_TUPLE
  [0x7d, (machine) => machine.push(new Map())], // EMPTY_DICT
  [0x6c, (machine) => machine.push(machine.popToMark())], // LIST
  [0x74, (machine) => machine.push(machine.popToMark())], // TUPLE
  [0x64, (machine) => machine.dict(machine.popToMark())], // DICT
  [0x85, (machine) => machine.push(machine.popMany(1))], // TUPLE1
  [0x86, (machine) => machine.push(machine.popMany(2))], // TUPLE2
  [0x87, (machine) => machine.push(machine.popMany(3))], // TUPLE3
  [0x61, (machine) => machine.append(machine.popMany(1))], // APPEND
  [0x65, (machine) => machine.append(machine.popToMark())], // APPENDS
  [0x73, (machine) => machine.setItems(machine.popMany(2))], // SETITEM
  [0x75, (machine) => machine.setItems(machine.popToMark())], // SETITEMS
  [0x71, (machine) => machine.remember(machine.unsigned(1))], // BINPUT
  [0x72, (machine) => machine.remember(machine.unsigned(4))], // LONG_BINPUT
  [0x94, (machine) => machine.remember()], // MEMOIZE
  [0x68, (machine) => machine.recall(machine.unsigned(1))], // BINGET
  [0x6a, (machine) => machine.recall(machine.unsigned(4))], // LONG_BINGET
  [0x63, (machine) => machine.global(machine.line(), machine.line())], // GLOBAL
  [0x93, (machine) => machine.global(...(machine.popMany(2) as [PickleValue, PickleValue]))], // STACK_GLOBAL
  [0x51, (machine) => machine.persistent()], // BINPERSID
  [0x52, (machine) => machine.reduce()], // REDUCE
  [0x62, (machine) => machine.build()], // BUILD
])

class Machine {
  readonly #bytes: Buffer
  readonly #records: ReadonlyMap<string, ArchiveRecord>
  readonly #path: string
  readonly #stack: PickleValue[] = []
  /** Where in the stack each open mark stands. */
  readonly #marks: number[] = []
  readonly #memo: PickleValue[] = []
  #position = 0

  constructor(bytes: Uint8Array, records: ReadonlyMap<string, ArchiveRecord>, path: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#records = records
    this.#path = path
  }

  run(): PickleValue {
    for (let count = 0; count < mostInstructions; count++) {
      const code = this.unsigned(1)
      if (code === stop) return this.#result()
      const instruction = instructions.get(code)
      if (!instruction) throw this.#bad(`it has the instruction 0x${code.toString(16)}, which is not read`)
      instruction(this)
    }
    throw this.#bad(`it has more than ${mostInstructions} instructions`, resaveWeights(this.#path))
  }

  protocol(version: number): void {
    if (version < 2 || version > 5) throw this.#bad(`it has the protocol ${version}, not one of 2 to 5`)
  }

  unsigned(length: 1 | 2 | 4 | 8): number {
    const bytes = this.take(length)
    return length === 8 ? Number(bytes.readBigUInt64LE()) : bytes.readUIntLE(0, length)
  }

  take(length: number): Buffer {
    const begin = this.#position
    if (length > this.#bytes.length - begin) throw this.#bad('it is truncated')
    this.#position += length
    return this.#bytes.subarray(begin, begin + length)
  }

  text(length: number): string {
    const bytes = this.take(length)
    if (!isUtf8(bytes)) throw this.#bad('a text of it is not UTF-8')
    return bytes.toString()
  }

  line(): string {
    const end = this.#bytes.indexOf('\n', this.#position)
    if (end < 0) throw this.#bad('it is truncated')
    const text = this.text(end - this.#position)
    this.#position++
    return text
  }

  push(value: PickleValue): void {
    this.#stack.push(value)
  }

  mark(): void {
    this.#marks.push(this.#stack.length)
  }

  /** Values below the newest mark are out of reach. */
  popMany(count: number): PickleValue[] {
    const begin = this.#stack.length - count
    if (begin < (this.#marks.at(-1) ?? 0)) throw this.#bad('it takes from an empty stack')
    return this.#stack.splice(begin)
  }

  popToMark(): PickleValue[] {
    const begin = this.#marks.pop()
    if (begin === undefined) throw this.#bad('it returns to a mark that it did not set')
    return this.#stack.splice(begin)
  }

  discard(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop()
    else this.#pop()
  }

  dict(entries: readonly PickleValue[]): void {
    this.push(new Map())
    this.setItems(entries)
  }

  append(items: readonly PickleValue[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw this.#bad('it appends to what is not a list')
    for (const item of items) list.push(item)
  }

  setItems(entries: readonly PickleValue[]): void {
    const map = this.#top()
    if (!(map instanceof Map)) throw this.#bad('it sets items of what is not a dict')
    if (entries.length % 2 !== 0) throw this.#bad('a dict of it has a key without a value')
    for (let i = 0; i < entries.length; i += 2) map.set(this.#key(entries[i]!), entries[i + 1]!)
  }

  /** Python counts them up. */
  remember(index = this.#memo.length): void {
    if (index > this.#memo.length) throw this.#bad(`it remembers value ${index} before ${index - 1}`)
    this.#memo[index] = this.#top()
  }

  recall(index: number): void {
    const value = this.#memo[index]
    if (value === undefined) throw this.#bad(`it recalls value ${index}, which it did not remember`)
    this.push(value)
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.#bad('the name of a global is not a text')
    const known = globals.get(`${module}.${name}`)
    if (!known) throw foreign(`${module}.${name}`, this.#path)
    this.push(known)
  }

  persistent(): void {
    this.push(findItems(this.#pop(), this.#records, this.#path))
  }

  reduce(): void {
    const [known, args] = this.popMany(2)
    if (!(known instanceof KnownFunction)) throw this.#bad('it calls what is not a function')
    if (!Array.isArray(args)) throw this.#bad(`it calls \`${known.name}\` without arguments`)
    this.push(known.result(args, this.#path))
  }

  /** Drops the attributes of an OrderedDict, of which a state dict has one, `_metadata`. */
  build(): void {
    this.#pop()
    if (!(this.#top() instanceof Map)) throw this.#bad('it sets attributes of what is not an OrderedDict')
  }

  #pop(): PickleValue {
    return this.popMany(1)[0]!
  }

  #top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#bad('it takes from an empty stack')
    return this.#stack.at(-1)!
  }

  #key(value: PickleValue): PickleKey {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (Number.isInteger(value) && Math.abs(value as number) <= largestKey) return value as number
    throw this.#bad(`a key of its dicts is neither a text nor a whole number up to ${largestKey}`)
  }

  #result(): PickleValue {
    const value = this.#pop()
    if (this.#stack.length + this.#marks.length > 0) throw this.#bad('it leaves more than one value')
    if (this.#position < this.#bytes.length) throw this.#bad('it goes on after its end')
    return value
  }

  #bad(what: string, cure?: string) {
    return refusal(this.#path, `its pickle is not one of torch.save: ${what}`, cure)
  }
}

function emptyDict(args: readonly PickleValue[], path: string): PickleValue {
  if (args.length === 0) return new Map()
  throw refusal(path, 'its pickle makes an OrderedDict in a way that torch.save does not')
}

function foreign(name: string, path: string) {
  const what = `it holds a \`${plain(name)}\`, and only tensors, numbers, texts, lists and dicts are read`
  return refusal(path, what, resaveWeights(path))
}

/** Two's complement, little-endian; a bigint only where a number is not exact. */
function integer(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0
  const magnitude = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  const value = BigInt.asIntN(8 * bytes.length, magnitude)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}
