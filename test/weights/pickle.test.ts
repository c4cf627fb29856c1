import test from 'ava'
import { KnownFunction, type PickleValue, StoredTensor } from '../../lib/weights/pth.js'
import { many, readPickled, refused, unknownInstruction } from './checkpoint.js'
import {
  APPEND,
  APPENDS,
  BINGET,
  BINPERSID,
  BINPUT,
  BUILD,
  byte,
  DICT,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  float,
  global,
  integer,
  LIST,
  LONG_BINGET,
  LONG_BINPUT,
  MARK,
  MEMOIZE,
  NEWTRUE,
  NONE,
  POP,
  PROTO,
  REDUCE,
  SETITEM,
  SETITEMS,
  STACK_GLOBAL,
  STOP,
  TUPLE,
  TUPLE2,
  tensor,
  text,
  tuple,
} from './pickle-writer.js'

const orderedDict = global('collections', 'OrderedDict')

test('whole numbers are numbers while that is exact', async (t) => {
  const read = (value: bigint) => readPickled(integer(value))
  t.is(await read(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER)
  t.is(await read(1n - 2n ** 53n), Number.MIN_SAFE_INTEGER)
  t.is(await read(2n ** 53n), 2n ** 53n)
  t.is(await read(-(2n ** 100n)), -(2n ** 100n))
  t.is(await readPickled(byte(0x8a, 0)), 0)
  t.is(await readPickled(byte(0x4a, 0xff, 0xff, 0xff, 0xff)), -1)
  t.is(await readPickled(byte(0x4d, 0xff, 0xff)), 0xffff)
  t.is(await readPickled(float(-0.1)), -0.1)
})

test('lists and dicts are made in each way that pickles have', async (t) => {
  const [one, two] = [integer(1), integer(2)]
  t.deepEqual(await readPickled(MARK, one, two, LIST), [1, 2])
  t.deepEqual(await readPickled(EMPTY_LIST, MARK, one, two, APPENDS, one, APPEND), [1, 2, 1])
  t.deepEqual(await readPickled(MARK, one, two, DICT), new Map([[1, 2]]))
  t.deepEqual(
    await readPickled(EMPTY_DICT, MARK, one, two, SETITEMS, NONE, NEWTRUE, SETITEM),
    new Map<unknown, unknown>([
      [1, 2],
      [null, true],
    ]),
  )
  t.deepEqual(await readPickled(NONE, POP, MARK, POP, one), 1)
  t.deepEqual(await readPickled(byte(0x43, 2, 7, 8)), Buffer.from([7, 8]))
})

test('a function that a checkpoint holds is a name, and nothing is called', async (t) => {
  t.true((await readPickled(orderedDict)) instanceof KnownFunction)
})

test('every foreign global is refused by name, however it is written', async (t) => {
  const names = [
    ['os', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_tensor_v3'],
    ['torch._utils', '_rebuild_parameter_with_state'],
    ['torch', 'UntypedStorage'],
    ['collections', 'defaultdict'],
    ['', '__proto__'],
    ['constructor', ''],
  ] as const
  for (const [module, name] of names) {
    const part = new RegExp(`holds a \`${module}\\.${name}\``)
    await refused(t, readPickled(global(module, name), tuple(text('echo')), REDUCE), part, /untrusted source/)
    await refused(t, readPickled(text(module), text(name), STACK_GLOBAL), part)
  }
  await refused(t, readPickled(NONE, text('system'), STACK_GLOBAL), /global is not a text/)
})

test('instructions that torch.save does not write are refused', async (t) => {
  for (const code of [0x82, 0x69, 0x6f, 0x81, 0x92, 0x49, 0x53, 0x50, 0x32, 0x8b, 0x00, 0xff])
    await refused(t, readPickled(byte(code, 1, 1)), new RegExp(`instruction 0x${code.toString(16)},`))
  for (const version of [0, 1, 6, 255]) await refused(t, readPickled(byte(0x80, version)), /protocol/)
})

test('an OrderedDict starts empty, and only its attributes are dropped', async (t) => {
  t.deepEqual(await readPickled(orderedDict, EMPTY_TUPLE, REDUCE, EMPTY_DICT, BUILD), new Map())
  await refused(t, readPickled(orderedDict, tuple(EMPTY_LIST), REDUCE), /OrderedDict/)
  await refused(t, readPickled(EMPTY_LIST, EMPTY_DICT, BUILD), /attributes/)
  await refused(t, readPickled(orderedDict, EMPTY_DICT, BUILD), /attributes/)
})

test('an instruction that finds nothing on the stack is refused', async (t) => {
  const takers = [POP, APPEND, SETITEM, TUPLE2, REDUCE, BUILD, BINPERSID, STACK_GLOBAL, BINPUT(0), MEMOIZE]
  for (const taker of takers) {
    await refused(t, readPickled(taker), /empty stack/)
    await refused(t, readPickled(EMPTY_DICT, EMPTY_DICT, EMPTY_DICT, MARK, taker, unknownInstruction))
  }
  for (const taker of [TUPLE, LIST, DICT, APPENDS, SETITEMS])
    await refused(t, readPickled(EMPTY_LIST, taker), /mark/)
  await refused(t, readPickled(), /empty stack/)
})

test('values below a mark are out of reach', (t) =>
  refused(t, readPickled(NONE, NONE, MARK, NONE, TUPLE2), /empty stack/))

test('an instruction on the wrong kind of value is refused', async (t) => {
  await refused(t, readPickled(EMPTY_DICT, NONE, APPEND), /appends/)
  await refused(t, readPickled(EMPTY_LIST, NONE, NONE, SETITEM), /sets items/)
  await refused(t, readPickled(NONE, EMPTY_TUPLE, REDUCE), /not a function/)
  await refused(t, readPickled(global('torch', 'FloatStorage'), EMPTY_TUPLE, REDUCE), /not a function/)
  await refused(t, readPickled(orderedDict, NONE, REDUCE), /without arguments/)
  await refused(t, readPickled(EMPTY_DICT, MARK, NONE, SETITEMS), /without a value/)
  await refused(t, readPickled(MARK, NONE, DICT), /without a value/)
})

test('keys are texts and small whole numbers: others have no hash, or one that can be made to collide', async (t) => {
  const keys = [EMPTY_LIST, EMPTY_DICT, EMPTY_TUPLE, tensor(), orderedDict, float(0.5), float(Number.NaN)]
  for (const key of [...keys, integer(1_000_001), integer(2n ** 60n), byte(0x43, 0)])
    await refused(t, readPickled(EMPTY_DICT, key, NONE, SETITEM), /key/)
})

test('what was never remembered is not recalled', async (t) => {
  await refused(t, readPickled(NONE, BINPUT(0), BINGET(1)), /recalls value 1/)
  await refused(t, readPickled(LONG_BINGET(0xffffffff)), /recalls value 4294967295/)
  await refused(t, readPickled(NONE, LONG_BINPUT(0xffffffff)), /remembers value 4294967295/)
  t.is(await readPickled(NONE, MEMOIZE, POP, LONG_BINGET(0)), null)
})

test('a list and a dict that hold themselves are harmless', async (t) => {
  const list = (await readPickled(EMPTY_LIST, BINPUT(0), BINGET(0), APPEND)) as PickleValue[]
  t.is(list[0], list)
  const dict = (await readPickled(EMPTY_DICT, BINPUT(0), NONE, BINGET(0), SETITEM)) as Map<null, PickleValue>
  t.is(dict.get(null), dict)
  const knot = [EMPTY_LIST, BINPUT(0), text('storage'), APPEND, BINGET(0), APPEND, BINPERSID]
  await refused(t, readPickled(...knot), /not a storage/)
})

test('a hundred thousand nested lists are read, and ten million refused, without recursion', async (t) => {
  let value = await readPickled(many(100_000, EMPTY_LIST), many(99_999, APPEND))
  let depth = 0
  for (; Array.isArray(value); value = value[0] as PickleValue) depth++
  t.is(depth, 100_000)
  await refused(t, readPickled(many(10_000_000, EMPTY_LIST)), /more than 1000000 instructions/)
  await refused(t, readPickled(many(200_000, MARK), many(100_000, TUPLE)), /leaves more/)
})

test('what is long, wide or repeated takes time in proportion', async (t) => {
  const start = performance.now()
  await readPickled(MARK, many(900_000, byte(0x4b, 1)), LIST)
  await readPickled(text('x'.repeat(10_000_000)))
  const sides = tuple(many(200_000, byte(0x4b, 1)))
  await refused(t, readPickled(sides, BINPUT(0), POP, many(200_000, BINGET(0), POP), unknownInstruction))
  t.true(
    performance.now() - start < 10_000,
    'a few seconds even on a slow machine; a square would take hours',
  )
})

test('a text that is not UTF-8 is refused', (t) =>
  refused(t, readPickled(byte(0x58, 1, 0, 0, 0, 0xff)), /not UTF-8/))

test('lengths beyond the pickle are refused before anything is allocated', async (t) => {
  for (const code of [0x58, 0x42, 0x8d, 0x8e])
    await refused(t, readPickled(byte(code), Buffer.alloc(8, 0xff)), /truncated/)
  await refused(t, readPickled(Buffer.from('cos')), /truncated/)
})

test('a pickle ends with one value, and there', async (t) => {
  await refused(t, readPickled(NONE, NONE), /more than one value/)
  await refused(t, readPickled(MARK, NONE), /more than one value/)
  await refused(t, readPickled(NONE, STOP, PROTO), /goes on/)
})

test('a tensor lies inside its storage, or is refused', async (t) => {
  const outside = [
    { shape: [3] },
    { shape: [1], first: 2 },
    { shape: [2], first: 1 },
    { shape: [2], strides: [2] },
    { shape: [2, 2], strides: [1, 1] },
    { shape: [2 ** 52, 2 ** 52], strides: [2 ** 52, 2 ** 52] },
    { shape: [Number.MAX_SAFE_INTEGER], strides: [Number.MAX_SAFE_INTEGER] },
    { shape: [], strides: [], first: 2 },
    { shape: [0], first: 3 },
  ]
  for (const parts of outside) await refused(t, readPickled(tensor(parts)), /reaches beyond the 2 values/)
})

test('a tensor larger than its storage is refused: stride 0 would make much of little', async (t) => {
  for (const shape of [[3], [2 ** 52], Array(16).fill(2 ** 52)])
    await refused(t, readPickled(tensor({ shape, strides: shape.map(() => 0) })), /repeats the 2 values/)
})

test('sides, strides and offsets are whole numbers from 0, not too many', async (t) => {
  const improper = [
    { shape: [-1] },
    { strides: [-1] },
    { first: -1 },
    { shape: [2n ** 64n] },
    { strides: [2n ** 63n] },
    { shape: Array(65).fill(1), strides: Array(65).fill(1) },
  ]
  for (const parts of improper) await refused(t, readPickled(tensor(parts)), /no proper/)
  await refused(t, readPickled(tensor({ shape: [1, 1] })), /has 1 strides/)
  await refused(
    t,
    readPickled(global('torch._utils', '_rebuild_tensor_v2'), EMPTY_TUPLE, REDUCE),
    /no proper/,
  )
})

test('tensors of no side, of empty sides and with a step are read', async (t) => {
  const place = async (parts: Parameters<typeof tensor>[0]) =>
    (await readPickled(tensor(parts))) as StoredTensor
  const scalar = (first: number) => place({ shape: [], strides: [], first })
  t.is((await scalar(1)).offset, (await scalar(0)).offset + 4)
  t.deepEqual((await place({ shape: [0, 2 ** 52], strides: [1, 1] })).shape, [0, 2 ** 52])
  t.deepEqual((await place({ shape: [1, 2], strides: [2 ** 52, 1] })).strides, [2 ** 52, 1])
  t.true((await place({ more: [NONE] })) instanceof StoredTensor)
  await refused(t, readPickled(tensor({ more: [MARK, text('neg'), NEWTRUE, DICT] })), /negated/)
})

test('a storage has the bytes that its count says', async (t) => {
  await refused(t, readPickled(tensor({ count: 3 })), /`data\/0` has 8 bytes, not 3 float32 values/)
  await refused(t, readPickled(tensor({ count: 1, shape: [1] })), /has 8 bytes/)
  await refused(t, readPickled(tensor({ storage: 'DoubleStorage' })), /not 2 float64 values/)
  t.is(
    ((await readPickled(tensor({ storage: 'LongStorage', count: 1, shape: [1] }))) as StoredTensor).dtype,
    'int64',
  )
  await refused(t, readPickled(tensor({ count: -1 })), /not a storage/)
})

test('a storage is a record of the archive, by its number', async (t) => {
  await refused(t, readPickled(tensor({ key: '1' })), /no record `data\/1`/)
  for (const key of ['../data.pkl', '', '0\n', '-1', '0'.repeat(100)])
    await refused(t, readPickled(tensor({ key })), /not a storage/)
  for (const id of [NONE, EMPTY_TUPLE, tuple(text('module')), text('storage'), EMPTY_DICT])
    await refused(t, readPickled(id, BINPERSID), /not a storage/)
})

test('a parameter is a tensor', async (t) => {
  const parameter = (value: Buffer) =>
    readPickled(global('torch._utils', '_rebuild_parameter'), tuple(value, NEWTRUE, NONE), REDUCE)
  t.true((await parameter(tensor())) instanceof StoredTensor)
  await refused(t, parameter(NONE), /not a tensor/)
})
