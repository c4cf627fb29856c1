import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, open, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import { Model, predict } from '../../lib/index.js'
import { type Entry, type Header, putTogether, rewrite, takeApart } from '../safetensors-file.js'
import { cost, folder, fresh, isHelpful, makeFifo, refusalOf, untrainedModel } from './fixtures.js'

let model: Model
let whole: string
let header: Header
let size: number
/** Where the tensors begin. */
let start: number
const face = { data: new Uint8Array(32 * 32 * 3).fill(99), width: 32, height: 32, channels: 3 } as const

test.before(async () => {
  model = await untrainedModel()
  whole = fresh('.safetensors')
  await model.save(whole)
  header = (await takeApart(whole)).header
  size = (await stat(whole)).size
  start = 8 + Number((await readFile(whole)).readBigUInt64LE())
})

/** A file with this header, and behind it as many bytes as the model has, all zero and none on disk. */
async function withHeader(json: string | Buffer, dataBytes = size - start): Promise<string> {
  const path = await putTogether(fresh('.safetensors'), Buffer.from(json), new Uint8Array(0))
  await truncate(path, (await stat(path)).size + dataBytes)
  return path
}

/** The model's own header, changed. */
function changed(change: (header: Header) => void, dataBytes?: number): Promise<string> {
  const copy = structuredClone(header)
  change(copy)
  return withHeader(JSON.stringify(copy), dataBytes)
}

/** The header's description of the model, changed. */
const described = (change: object) =>
  changed(({ __metadata__: metadata }) => {
    metadata!.model = JSON.stringify({ ...JSON.parse(metadata!.model!), ...change })
  })

async function refuses(t: ExecutionContext, path: string, ...parts: (string | RegExp)[]): Promise<void> {
  isHelpful(t, await refusalOf(t, () => Model.load(path), String(parts)), 'ERR_BAD_MODEL', path, ...parts)
}

test('a model cut short anywhere is refused', async (t) => {
  const path = fresh('.safetensors')
  await copyFile(whole, path)
  for (const end of [size - 1, size - 4, size >> 1, start + 1, start, start - 1, 100, 9, 8, 7, 1, 0]) {
    await truncate(path, end)
    await refuses(t, path, /truncated|header/)
  }
})

test('a header of an absurd length is refused, and nothing of that length is allocated', async (t) => {
  const lengths = [0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, BigInt(size), BigInt(size - 7)]
  for (const length of lengths) {
    const path = fresh('.safetensors')
    const bytes = Buffer.alloc(64)
    bytes.writeBigUInt64LE(length)
    await writeFile(path, bytes)
    await refuses(t, path, `${length} bytes`)
  }
})

test('a header of 1 GB, which a file without a byte on disk can claim, is refused at once', async (t) => {
  const path = fresh('.safetensors')
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(2n ** 30n)
  await writeFile(path, bytes)
  await truncate(path, 2 ** 30 + 8)
  const { seconds, bytes: grown } = await cost(() => refuses(t, path, `${2 ** 30} bytes`))
  t.true(seconds < 1 && grown < 50e6, `${seconds} s, ${grown} bytes`)
})

test('a header that is small on disk and large once parsed is refused at once', async (t) => {
  // 30 MB each, below the limit of 2^25 bytes.
  const bombs = {
    nested: '['.repeat(30e6),
    arrays: `{"a":[${'[],'.repeat(10e6)}0]}`,
    keys: `{${Array.from({ length: 2.5e6 }, (_, i) => `"${i}":{}`).join()}}`,
  }
  for (const [name, text] of Object.entries(bombs)) {
    const path = await withHeader(text)
    const { seconds, bytes } = await cost(() => refuses(t, path, /more than any model holds/))
    t.true(seconds < 3 && bytes < 300e6, `${name}: ${seconds} s, ${bytes} bytes`)
  }
})

for (const [name, text, part] of [
  ['not JSON', '{"a":', /not JSON/],
  ['zeros', Buffer.alloc(1000), /not JSON/],
  [
    'not UTF-8',
    Buffer.from([...Buffer.from('{"__metadata__":{"a":"'), 0xff, ...Buffer.from('"}}')]),
    /not JSON/,
  ],
  ['behind a byte-order mark', '\ufeff{}', /not JSON/],
  ['an array', '[1, 2]', /not an object/],
  ['a text', '"a text"', /not an object/],
  ['a number', '12345', /not an object/],
  ['null', 'null', /not an object/],
  ['nested 400,000 deep', `{"a":${'['.repeat(4e5)}${']'.repeat(4e5)}}`, /tensor `a`/],
  ['without metadata', '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', /belong to no tensor/],
  ['metadata a list', '{"__metadata__":[]}', /metadata are not an object/],
  ['metadata null', '{"__metadata__":null}', /metadata are not an object/],
  ['a tensor that is null', '{"a":null}', /tensor `a`/],
  ['a tensor that is a list', '{"a":[]}', /tensor `a`/],
] as const) {
  test(`a header that is ${name} is refused`, async (t) => refuses(t, await withHeader(text), part))
}

const offsets: readonly [string, unknown][] = [
  ['overlapping the next', [4, 6916]],
  ['beyond the file', [2 ** 40, 2 ** 40 + 6912]],
  ['negative', [-6912, 0]],
  ['fractional', [0.5, 6912.5]],
  ['2^53', [2 ** 53, 2 ** 53 + 6912]],
  ['1e308', [1e308, 1e308]],
  ['texts', ['0', '6912']],
  ['backwards', [6912, 0]],
  ['one number', [0]],
  ['three', [0, 1, 6912]],
  ['null', null],
  ['an object', { 0: 0, 1: 6912, length: 2 }],
]
for (const [name, place] of offsets) {
  test(`offsets ${name} are refused`, async (t) => {
    // 6912 = 64 x 3 x 3 x 3 float32.
    t.deepEqual(header['conv1.weight']!.shape, [64, 3, 3, 3])
    const path = await changed((header) => {
      header['conv1.weight']!.data_offsets = place as Entry['data_offsets']
    })
    await refuses(t, path, /`conv1\.weight`|does not begin where/)
  })
}

const shapes: readonly [string, unknown][] = [
  ['negative', [-64, -3, 3, 3]],
  ['huge', [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1]],
  ['of an infinite product times nothing', [...Array(30).fill(2 ** 52), 0]],
  ['fractional', [0.5, 3, 3, 384]],
  ['transposed', [3, 64, 3, 3]],
  ['flat', [1728]],
  ['of a thousand sides', [...Array(999).fill(1), 1728]],
  ['a text', '64,3,3,3'],
  ['null', null],
  [
    'nested',
    [
      [64, 3],
      [3, 3],
    ],
  ],
]
for (const [name, shape] of shapes) {
  test(`a shape that is ${name} is refused`, async (t) => {
    const path = await changed((header) => {
      header['conv1.weight']!.shape = shape as number[]
    })
    await refuses(t, path, '`conv1.weight`', /shape/)
  })
}

for (const dtype of [
  'I64',
  'F64',
  'BOOL',
  'F8_E4M3',
  'f32',
  '',
  'constructor',
  32,
  null,
  '\u001b[2J'.repeat(99),
]) {
  test(`a type ${JSON.stringify(dtype).slice(0, 20)} that the bytes are not of is refused`, async (t) => {
    const path = await changed((header) => {
      header['conv1.weight']!.dtype = dtype as string
    })
    await refuses(t, path, '`conv1.weight`')
  })
}

/** The model with one tensor of other bytes and another type, and the later ones moved behind it. */
async function retyped(name: string, dtype: string, bytes: Uint8Array): Promise<string> {
  const { header, data } = await takeApart(whole)
  const entry = header[name]!
  const [begin, end] = entry.data_offsets
  const longer = bytes.length - (end - begin)
  for (const other of Object.values<Entry>(header)) {
    if ((other.data_offsets?.[0] ?? 0) >= end)
      other.data_offsets = other.data_offsets.map((at) => at + longer) as never
  }
  Object.assign(entry, { dtype, data_offsets: [begin, begin + bytes.length] })
  return putTogether(fresh(), header, Buffer.concat([data.subarray(0, begin), bytes, data.subarray(end)]))
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
// 1 and -2 are exact in each: sign, exponent, fraction as IEEE 754 has them.
const sameBias = {
  F32: bytesOf(Float32Array.of(1, -2)),
  F64: bytesOf(Float64Array.of(1, -2)),
  F16: bytesOf(Uint16Array.of(0x3c00, 0xc000)),
  BF16: bytesOf(Uint16Array.of(0x3f80, 0xc000)),
}

test('weights of other floating types are converted', async (t) => {
  const answers = await Promise.all(
    Object.entries(sameBias).map(async ([dtype, bytes]) => {
      const path = await retyped('fc.bias', dtype, bytes)
      return predict(face, { model: path, logits: true, precision: 'float32' })
    }),
  )
  for (const answer of answers) t.deepEqual(answer.logits, answers[0]!.logits)
})

test('a weight too large for float32 is refused, although its own type holds it', async (t) => {
  await refuses(t, await retyped('fc.bias', 'F64', bytesOf(Float64Array.of(1, 1e300))), '`fc.bias`', /finite/)
})

test('whole numbers as weights, and weights as counts, are refused', async (t) => {
  await refuses(t, await retyped('fc.bias', 'I64', bytesOf(BigInt64Array.of(1n, 2n))), '`fc.bias`', /whole/)
  await refuses(t, await retyped('fc.bias', 'U8', Uint8Array.of(1, 2)), '`fc.bias`', /whole/)
  const count = 'bn1.num_batches_tracked'
  await refuses(t, await retyped(count, 'F64', bytesOf(Float64Array.of(1))), count, /floating/)
})

for (const [tensor, value] of [
  ['conv1.weight', Number.NaN],
  ['layer4.1.bn2.running_var', Number.POSITIVE_INFINITY],
  ['arm.generic', Number.NEGATIVE_INFINITY],
] as const) {
  test(`${value} in ${tensor} is refused, and the tensor named`, async (t) => {
    const path = fresh('.safetensors')
    await copyFile(whole, path)
    const file = await open(path, 'r+')
    const last = header[tensor]!.data_offsets[1] - 4
    await file.write(bytesOf(Float32Array.of(value)), 0, 4, start + last)
    await file.close()
    await refuses(t, path, `\`${tensor}\``, /not finite/)
  })
}

test('a missing tensor and one too many are named', async (t) => {
  const missing = await rewrite(whole, fresh(), (name) =>
    name === 'layer2.0.conv1.weight' ? undefined : name,
  )
  await refuses(t, missing, '`layer2.0.conv1.weight`')
  const renamed = await rewrite(whole, fresh(), (name) => (name === 'fc.bias' ? 'fc.bais' : name))
  await refuses(t, renamed, /`fc\.bias`/)
})

for (const name of ['__proto__', 'constructor', '', '\u001b[2J', 'x'.repeat(1e6)]) {
  test(`a tensor named ${JSON.stringify(name).slice(0, 20)} is refused, and changes no prototype`, async (t) => {
    const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0],"polluted":true}'
    const json = `{${JSON.stringify(name)}:${entry},${JSON.stringify(header).slice(1)}`
    await refuses(t, await withHeader(json), /tensor `/)
    t.is(({} as { polluted?: boolean }).polluted, undefined)
  })
}

test('a name given twice is refused, since it leaves a gap', async (t) => {
  const json = JSON.stringify(header)
  const twice = `${json.slice(0, -1)},"fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
  await refuses(t, await withHeader(twice), /does not begin where/)
})

test('a gap between tensors and bytes behind them are refused', async (t) => {
  const gap = await changed(
    (header) => {
      for (const entry of Object.values<Entry>(header).slice(40)) {
        if (entry.data_offsets) entry.data_offsets = [entry.data_offsets[0] + 8, entry.data_offsets[1] + 8]
      }
    },
    size - start + 8,
  )
  await refuses(t, gap, /does not begin where/)
  const trailing = await changed(() => {}, size - start + 1)
  await refuses(t, trailing, /1 bytes that belong to no tensor/)
})

const metadata: readonly [string, object | undefined, RegExp][] = [
  ['missing', undefined, /does not say `fer-torch model/],
  ['empty', {}, /does not say `fer-torch model/],
  ['numbers', { format: 1, model: 2 }, /does not say `fer-torch model/],
  ['of another version', { format: 'fer-torch model 99', model: '{}' }, /`fer-torch model 99`, not/],
  [
    'of another program',
    { format: `${'\u001b[2J'}evil${'x'.repeat(1e6)}`, model: '{}' },
    /not `fer-torch model/,
  ],
  ['a checkpoint', { format: 'fer-torch checkpoint 1', run: '{}' }, /resumed from.*`best\.safetensors`/],
  ['without a model', { format: 'fer-torch model 1' }, /no field `model`/],
  ['a model that is not JSON', { format: 'fer-torch model 1', model: '{"a":\u0007' }, /`model` is not JSON/],
  ['a model that is null', { format: 'fer-torch model 1', model: 'null' }, /`model` is not an object/],
  ['a model that is a list', { format: 'fer-torch model 1', model: '[]' }, /`model` is not an object/],
  ['a model of 2 MB', { format: 'fer-torch model 1', model: '['.repeat(2e6) }, /2000000 characters/],
  ['an empty model', { format: 'fer-torch model 1', model: '{}' }, /`backbone`/],
]
for (const [name, given, part] of metadata) {
  test(`metadata ${name}: refused`, async (t) => {
    const path = await changed((header) => {
      if (given) header.__metadata__ = given as Record<string, string>
      else delete header.__metadata__
    })
    await refuses(t, path, part)
  })
}

const fields: readonly [string, object, RegExp][] = [
  ['backbone', { backbone: 'resnet19' }, /`backbone`.*did you mean `resnet18`/],
  ['backbone', { backbone: 'constructor' }, /`backbone`/],
  ['backbone', { backbone: { toString: 1 } }, /`backbone`/],
  ['head', { head: null }, /`head`/],
  ['stem', { stem: 1 }, /`stem`/],
  ['color', { color: 'x'.repeat(1e5) }, /`color`/],
  ['affinity', { affinity: [] }, /`affinity`/],
  ['imageSize', { imageSize: 0 }, /`imageSize`/],
  ['imageSize', { imageSize: 1 }, /imageSize/],
  ['imageSize', { imageSize: 1e9 }, /`imageSize`/],
  ['imageSize', { imageSize: 48.5 }, /`imageSize`/],
  ['imageSize', { imageSize: '32' }, /`imageSize`/],
  ['imageSize', { imageSize: 1024 }, /`fc\.weight`|imageSize|generic/],
  ['classes', { classes: [] }, /`classes`/],
  ['classes', { classes: 'happiness' }, /`classes`/],
  ['classes', { classes: ['a', 'a'] }, /`classes`.*differ/],
  ['classes', { classes: ['a', 5] }, /`classes\[1\]`/],
  ['classes', { classes: ['a', '\u001b[2J'] }, /`classes\[1\]`.*printable/],
  ['classes', { classes: ['a', 'x'.repeat(1e5)] }, /`classes\[1\]`.*printable/],
  ['classes', { classes: ['a', 'b', 'c'] }, /`fc\.(weight|bias)`.*shape/],
  ['classes', { classes: Array.from({ length: 1e5 }, (_, i) => `${i}`) }, /1 to 1000 class names/],
  ['normalization', { normalization: null }, /`normalization`/],
  ['normalization', { normalization: { mean: [0, 0, 0] } }, /`deviation`/],
  ['deviation', { normalization: { mean: [0, 0, 0], deviation: [0, 1, 1] } }, /`deviation\[0\]`/],
  ['deviation', { normalization: { mean: [0, 0, 0], deviation: [Number.NaN, 1, 1] } }, /`deviation\[0\]`/],
  ['mean', { normalization: { mean: [1e308, 0, 0], deviation: [1, 1, 1] } }, /`mean\[0\]`/],
  ['mean', { normalization: { mean: [0, 0], deviation: [1, 1, 1] } }, /`mean`/],
  ['extra', { eval: 'process.exit()' }, /Unknown field `eval`/],
  ['extra', { [`\u001b[2J${'x'.repeat(1e5)}`]: 1 }, /Unknown field/],
]
for (const [name, given, part] of fields) {
  test(`a header whose ${name} is ${JSON.stringify(Object.values(given)[0]).slice(0, 50)} is refused`, async (t) =>
    refuses(t, await described(given), part))
}

test('a million classes are refused at once', async (t) => {
  const path = await described({ classes: Array.from({ length: 1e6 }, (_, i) => `${i}`) })
  const { seconds } = await cost(() => refuses(t, path, /characters|class names/))
  t.true(seconds < 2, `${seconds} s`)
})

test('odd class names are names like others', async (t) => {
  const { header, data } = await takeApart(whole)
  const metadata = header.__metadata__!
  metadata.model = JSON.stringify({ ...JSON.parse(metadata.model!), classes: ['__proto__', 'constructor'] })
  const path = await putTogether(fresh(), header, data)
  const { label, probabilities } = await predict(face, { model: path })
  t.deepEqual(Object.keys(probabilities), ['__proto__', 'constructor'])
  t.is(typeof Object.getOwnPropertyDescriptor(probabilities, label)!.value, 'number')
})

test('what is no file is refused, and nothing waits for it', async (t) => {
  const directory = fresh()
  await mkdir(directory)
  const fifo = await makeFifo(fresh())
  for (const path of [directory, fifo, '/dev/zero', '/dev/null', `${whole}/x`, fresh(), 'x'.repeat(300)])
    isHelpful(
      t,
      await refusalOf(t, () => Model.load(path), path),
      'ERR_MODEL_NOT_FOUND',
      /not a file|no model file/,
    )
  await writeFile(`${directory}/empty`, '')
  await refuses(t, `${directory}/empty`, /0 bytes/)
})

test('a file that the system fails to read is refused by name', async (t) => {
  // It is read in multiples of 8 bytes only, and answers EINVAL else.
  await refuses(t, '/proc/self/pagemap', /invalid argument/)
})

for (const path of ['', `x\0.safetensors`, 5, null, {}, Buffer.from('x'), new URL('file:///x')]) {
  test(`the path ${JSON.stringify(path)} is refused by load, by save and by predict`, async (t) => {
    const given = path as string
    isHelpful(t, await refusalOf(t, () => Model.load(given)), 'ERR_INVALID_OPTION', '`path`')
    isHelpful(t, await refusalOf(t, () => model.save(given)), 'ERR_INVALID_OPTION', '`path`')
    isHelpful(
      t,
      await refusalOf(t, () => predict(face, { model: given })),
      'ERR_INVALID_OPTION',
      /`(model|path)`/,
    )
  })
}

test('a file that may not be read says so', async (t) => {
  const path = fresh()
  await writeFile(path, 'x', { mode: 0 })
  await chmod(folder, 0o711)
  const isRoot = process.geteuid?.() === 0
  // Root may read everything: as nobody, then.
  if (isRoot) process.seteuid?.(65534)
  try {
    await refuses(t, path, /permission/)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('a file that was replaced or cut short between two loads is read anew', async (t) => {
  const path = fresh('.safetensors')
  await copyFile(whole, path)
  const first = await Model.load(path)
  const other = await described({ classes: ['a', 'b'] })
  await rename(other, path)
  t.deepEqual((await Model.load(path)).info.classes, ['a', 'b'])
  await truncate(path, size >> 1)
  await refuses(t, path, /truncated/)
  t.is((await predict(face, { model: first })).label.length > 0, true, 'the first is in memory')
})

test('a file that another process cuts short and restores all the time is loaded or refused', async (t) => {
  const path = fresh('.safetensors')
  await copyFile(whole, path)
  const script = `${folder}/cut.mjs`
  await writeFile(
    script,
    `import { copyFileSync, truncateSync } from 'node:fs'
    const [from, to, size] = process.argv.slice(2)
    for (let i = 1; ; i = (i * 48271) % 2147483647) {
      truncateSync(to, Math.floor((i / 2147483647) * size))
      copyFileSync(from, to)
      // Time for a load now and then.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, i % 500)
    }`,
  )
  const other = fork(script, [whole, path, String(size)], { execArgv: [] })
  const ends = { loaded: 0, refused: 0 }
  for (const stop = performance.now() + 4000; performance.now() < stop; ) {
    try {
      await (await Model.load(path))[Symbol.asyncDispose]()
      ends.loaded++
    } catch (error) {
      isHelpful(t, error, 'ERR_BAD_MODEL', path)
      ends.refused++
    }
  }
  other.kill('SIGKILL')
  await once(other, 'exit')
  t.log(ends)
  await copyFile(whole, path)
  t.is((await Model.load(path)).info.imageSize, 32)
})
