import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { FerError } from '../../lib/errors.js'
import { type PickleKey, type PickleValue, readPth, StoredTensor } from '../../lib/weights/pth.js'

// Made and described by fixtures/make.py, with PyTorch itself.
const fixtures = join(import.meta.dirname, 'fixtures')

interface ExpectedValue {
  readonly file: string
  readonly at: readonly PickleKey[]
  readonly value?: PickleValue
  readonly dtype?: string
  readonly shape?: readonly number[]
  readonly values?: readonly unknown[]
}

const expected: readonly ExpectedValue[] = readFileSync(join(fixtures, 'expected.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

async function read(name: string): Promise<PickleValue> {
  await using file = await open(join(fixtures, name))
  const value = await readPth(file, name)
  await file.stat() // the caller's file is still open
  return value
}

async function refused(t: ExecutionContext, name: string, ...parts: (string | RegExp)[]): Promise<void> {
  const error = await t.throwsAsync(read(name), { instanceOf: FerError, code: 'ERR_BAD_MODEL' })
  t.true(error.message.startsWith(`\`${name}\` is not a checkpoint that can be read: `), error.message)
  for (const part of parts) t.regex(error.message, new RegExp(part))
}

const childAt = (value: PickleValue, key: PickleKey): PickleValue =>
  value instanceof Map ? value.get(key)! : (value as PickleValue[])[key as number]!

for (const name of new Set(expected.map(({ file }) => file))) {
  test(`every value of ${name} is the one PyTorch wrote`, async (t) => {
    const content = await read(name)
    const bytes = readFileSync(join(fixtures, name))
    for (const { file, at, value: plain, dtype, shape, values } of expected) {
      if (file !== name) continue
      const value = at.reduce<PickleValue>(childAt, content)
      if (!values) {
        t.is<unknown, unknown>(typeof value === 'bigint' ? `${value}` : value, plain, at.join(' '))
        continue
      }
      t.true(value instanceof StoredTensor, at.join(' '))
      const tensor = value as StoredTensor
      t.is(tensor.dtype, dtype as StoredTensor['dtype'])
      t.deepEqual(tensor.shape, shape!)
      t.deepEqual(items(bytes, tensor), [...values], at.join(' '))
    }
  })
}

test('the names of a state dict come in their order, and its _metadata is dropped', async (t) => {
  const state = (await read('plain.pth')) as Map<string, PickleValue>
  t.deepEqual([...state.keys()].slice(0, 4), ['0.weight', '0.bias', '1.weight', '1.bias'])
  t.false(state.has('_metadata'))
})

test('views of one storage share its bytes', async (t) => {
  const views = (await read('views.pth')) as Map<string, StoredTensor>
  const [whole, transposed, one] = ['whole', 'transposed', 'one'].map((name) => views.get(name)!)
  t.is(transposed.offset, whole.offset)
  t.deepEqual(transposed.strides, [1, 4])
  t.is(one.offset, whole.offset + 4 * (5 * 4 + 1), 'row 5, column 1 of (6, 4) float32')
})

test('a file in the format before PyTorch 1.6 says how it is saved anew', (t) =>
  refused(
    t,
    'legacy.pth',
    /before PyTorch 1\.6/,
    /torch\.save\(torch\.load\("legacy\.pth", map_location="cpu"\)/,
  ))

test('a TorchScript program says how its weights are saved', (t) =>
  refused(t, 'script.pt', /TorchScript/, /torch\.jit\.load\("script\.pt".*state_dict\(\)/))

test('a numpy scalar is refused by name, with a cure and its danger', (t) =>
  refused(t, 'numpy.pth', /`numpy\.\S*multiarray\.scalar`/, /\["state_dict"\]/, /untrusted source/))

test('a whole module is refused by name', (t) =>
  refused(t, 'module.pth', /`torch\.nn\.modules\.linear\.Linear`/, /\.state_dict\(\)/))

test('a tensor that is lazily negated is refused, since its bytes are not its values', (t) =>
  refused(t, 'negated.pth', /negated/, /resolve_neg/))

test('a tensor that repeats its storage is refused', (t) =>
  refused(t, 'expanded.pth', /of shape \(3\), repeats the 1 values/, /contiguous/))

test('a folder is an error of the system', async (t) => {
  await using file = await open(fixtures)
  await t.throwsAsync(readPth(file, fixtures), { code: 'EISDIR' })
})

const readers: Readonly<Record<StoredTensor['dtype'], readonly [number, (bytes: Buffer) => unknown]>> = {
  float64: [8, (bytes) => bytes.readDoubleLE()],
  float32: [4, (bytes) => bytes.readFloatLE()],
  float16: [2, (bytes) => halfValue(bytes.readUInt16LE())],
  bfloat16: [2, (bytes) => Buffer.from([0, 0, ...bytes]).readFloatLE()],
  int64: [8, (bytes) => exact(bytes.readBigInt64LE())],
  int32: [4, (bytes) => bytes.readInt32LE()],
  int16: [2, (bytes) => bytes.readInt16LE()],
  int8: [1, (bytes) => bytes.readInt8()],
  uint8: [1, (bytes) => bytes.readUInt8()],
  bool: [1, (bytes) => bytes.readUInt8() === 1],
}

/** In row-major order. */
function items(file: Buffer, { dtype, shape, strides, offset }: StoredTensor): unknown[] {
  const [length, value] = readers[dtype]
  const firsts = shape.reduce(
    (begins, side, axis) =>
      begins.flatMap((begin) => steps(side).map((step) => begin + step * strides[axis]!)),
    [0],
  )
  return firsts
    .map((index) => offset + index * length)
    .map((begin) => value(file.subarray(begin, begin + length)))
}

const steps = (count: number): number[] => [...Array(count).keys()]

const exact = (value: bigint): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = (bits & 0x3ff) / 1024
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15))
}
