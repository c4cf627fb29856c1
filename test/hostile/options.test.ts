import vm from 'node:vm'
import test from 'ava'
import { type Dataset, datasets, evaluate, Model, predict, type RawPixels, train } from '../../lib/index.js'
import { arm, backbone, resize, type Tensor } from '../../lib/ops.js'
import { readTrainOptions } from '../../lib/options/training.js'
import { blocks, fresh, isHelpful, refusalOf, untrainedModel } from './fixtures.js'

let model: Model
const data = blocks()
const face: RawPixels = { data: new Uint8Array(32 * 32 * 3).fill(99), width: 32, height: 32, channels: 3 }
const images = { dtype: 'uint8', shape: [1, 2, 2, 3], data: new Uint8Array(12) } as const

test.before(async () => {
  model = await untrainedModel()
})

type Given = never
/** Every call that takes an options object, with what else it needs. */
const calls: Readonly<Record<string, (options: unknown) => unknown>> = {
  train: (options) => train(options as Given),
  predict: (options) => predict(face, options as Given),
  evaluate: (options) => evaluate(model, data, options as Given),
  features: (options) => model.features(face, options as Given),
  calibrate: (options) => model.calibrate(data, options as Given),
  save: (options) => model.save(fresh(), options as Given),
  synthetic: (options) => datasets.synthetic(options as Given),
  tensors: (options) => datasets.tensors(options as Given),
  backbone: (options) => backbone('resnet18', {}, options as Given),
}
/** What each needs to work, beside defaults. */
const needed: Readonly<Record<string, () => object>> = {
  train: () => ({ data, output: fresh(), epochs: 1, imageSize: 32 }),
  predict: () => ({ model }),
  synthetic: () => ({ count: 7 }),
  tensors: () => ({ pixels: { ...images, shape: [1, 2, 2, 3] }, labels: [0], classes: ['anger'] }),
}
const optionsOf = (name: string) => needed[name]?.() ?? {}
const symbol = Symbol('a symbol')
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name} refuses what is no options object`, async (t) => {
    for (const given of [
      null,
      5,
      'text',
      true,
      [],
      [1],
      () => {},
      symbol,
      5n,
      Number.NaN,
      new Date(0).getTime(),
    ]) {
      const error = await refusalOf(t, () => call(given), String(given))
      isHelpful(t, error, 'ERR_INVALID_OPTION', /`options` to be an object/)
    }
  })

  test(`${name} names an unknown option, whatever its name`, async (t) => {
    for (const key of [
      'nonsense',
      '',
      '__proto__',
      'constructor',
      'toString',
      '\u001b[2J',
      'x'.repeat(1e7),
    ]) {
      const given = Object.defineProperty(optionsOf(name), key, { value: 1, enumerable: true })
      const error = await refusalOf(t, () => call(given), key.slice(0, 50))
      isHelpful(t, error, 'ERR_UNKNOWN_OPTION', /^Unknown field `/)
    }
  })

  test(`${name} hands on what a getter throws`, async (t) => {
    const reason = new Error('from the getter')
    const field = { train: 'epochs', synthetic: 'seed', tensors: 'labels', save: 'dtype', backbone: 'stem' }[
      name
    ]
    const given = Object.defineProperty(optionsOf(name), field ?? 'batchSize', {
      get: () => {
        throw reason
      },
      enumerable: true,
    })
    t.is(await refusalOf(t, () => call(given)), reason)
    t.true((await refusalOf(t, () => call(revoked()))) instanceof TypeError)
  })
}

test('options may be frozen, without a prototype, of a class, or behind a proxy', async (t) => {
  class Mine {
    get model() {
      return model
    }
    logits = true
  }
  const forms = [
    Object.freeze({ model, logits: true }),
    Object.assign(Object.create(null), { model, logits: true }),
    Object.create({ model, logits: true }),
    new Mine(),
    new Proxy({ model, logits: true }, {}),
    { model, logits: true, [symbol]: 1 },
    vm.runInNewContext('(model) => ({ model, logits: true })')(model),
  ]
  for (const options of forms) t.is((await predict(face, options)).logits?.length, 2)
})

/** Runs with a field in Object.prototype, as a careless library leaves it there. */
async function polluted<T>(fields: object, run: () => Promise<T>): Promise<T> {
  const descriptors = Object.entries(fields).map(([key, value]) => [
    key,
    { value, configurable: true, writable: true },
  ])
  Object.defineProperties(Object.prototype, Object.fromEntries(descriptors))
  try {
    return await run()
  } finally {
    for (const key of Object.keys(fields)) delete (Object.prototype as Record<string, unknown>)[key]
  }
}

test('what a library left in Object.prototype changes nothing', async (t) => {
  const plain = await predict([face], { model, precision: 'float32' })
  const left = {
    logits: true,
    affinity: 'batch',
    onError: 'return',
    image: 'nowhere.png',
    box: { left: 0, top: 0, width: 1, height: 1 },
    dtype: 'uint8',
    batchSize: -1,
  }
  t.deepEqual(await polluted(left, () => predict([face], { model, precision: 'float32' })), plain)
  const small = { dtype: 'uint8', shape: [1, 1, 1, 1], data: new Uint8Array(1) }
  const { data: resized } = await polluted(small, () => resize(images, 4))
  t.is(resized.length, 4 * 4 * 3)
  await polluted({ seed: 5, epochs: 5 }, async () => {
    t.is(datasets.synthetic({ count: 7 }).name, 'synthetic:7')
    t.is(readTrainOptions({ data, output: 'x' }).epochs, 20)
  })
})

test('each field is read once', async (t) => {
  const often: PropertyKey[] = []
  const counted = <T extends object>(object: T): T => {
    const read = new Set<PropertyKey>()
    return new Proxy(object, {
      get: (target, key) => {
        if (read.has(key)) often.push(key)
        read.add(key)
        return Reflect.get(target, key)
      },
    })
  }
  const box = counted({ left: 0, top: 0, width: 9, height: 9 })
  await predict(counted(face), counted({ model, batchSize: 2, box }))
  await resize(counted(images), 4)
  datasets.tensors(counted({ pixels: counted({ ...images }), labels: [0], classes: ['anger'] }))
  t.deepEqual(often, [])
})

test('a field that is another each time it is read is that of the first time', async (t) => {
  let reads = 0
  const shape = [1, 2, 2, 3]
  const changing = {
    dtype: 'uint8',
    get shape() {
      return reads++ === 0 ? shape : [1, 2 ** 20, 2 ** 20, 3]
    },
    data: images.data,
  } as const
  t.is((await resize(changing, 4)).data.length, 4 * 4 * 3)
  t.is(reads, 1)
})

const numbers: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  1e308,
  2 ** 53,
  0.5,
  '5',
  5n,
  symbol,
  null,
  {},
  Object.create(null),
  [5],
  'x'.repeat(1e7),
  '\u001b[2J',
]

for (const [name, field] of [
  ['train', 'epochs'],
  ['train', 'batchSize'],
  ['train', 'accumulate'],
  ['train', 'seed'],
  ['train', 'imageSize'],
  ['predict', 'batchSize'],
  ['evaluate', 'batchSize'],
  ['features', 'batchSize'],
  ['calibrate', 'batchSize'],
  ['synthetic', 'count'],
  ['synthetic', 'seed'],
] as const) {
  test(`${name} refuses a ${field} that is no whole number in its range`, async (t) => {
    for (const value of numbers) {
      const error = await refusalOf(
        t,
        () => calls[name]!({ ...optionsOf(name), [field]: value }),
        String(typeof value),
      )
      isHelpful(t, error, 'ERR_INVALID_OPTION', `\`${field}\` to be an integer from`, 'got ')
    }
  })
}

test('train refuses rates that are no numbers, and -0 is 0', async (t) => {
  for (const field of [
    'learningRate',
    'weightDecay',
    'momentum',
    'labelSmoothing',
    'warmupEpochs',
    'clipNorm',
    'decay',
  ]) {
    for (const value of numbers.filter((value) => value !== 0.5)) {
      const error = await refusalOf(t, () => train({ ...optionsOf('train'), [field]: value } as Given), field)
      isHelpful(t, error, 'ERR_INVALID_OPTION', `\`${field}\` to be a number from`)
    }
  }
  t.is(datasets.synthetic({ count: 7, seed: -0 }).name, 'synthetic:7')
})

for (const [name, field] of [
  ['train', 'precision'],
  ['train', 'backbone'],
  ['train', 'schedule'],
  ['predict', 'precision'],
  ['predict', 'onError'],
  ['predict', 'affinity'],
  ['evaluate', 'split'],
  ['save', 'dtype'],
  ['backbone', 'stem'],
] as const) {
  test(`${name} refuses a ${field} that is none of its names, however long`, async (t) => {
    for (const value of [...numbers, 'constructor', '__proto__', '', new String('auto')]) {
      const error = await refusalOf(
        t,
        () => calls[name]!({ ...optionsOf(name), [field]: value }),
        String(typeof value),
      )
      isHelpful(t, error, 'ERR_INVALID_OPTION', `\`${field}\` to be one of`)
    }
  })
}

for (const [name, fields] of [
  [
    'train',
    {
      data: /data set/,
      validation: /data set/,
      output: /string/,
      pretrained: /string/,
      signal: /AbortSignal/,
      onPack: /function/,
      resume: /true or false/,
      augmentation: /object/,
    },
  ],
  ['predict', { model: /Model/, logits: /true or false/, signal: /AbortSignal/ }],
  ['evaluate', { onProgress: /function/, onPack: /function/, signal: /AbortSignal/ }],
] as const) {
  test(`${name} refuses fields of another kind`, async (t) => {
    for (const [field, part] of Object.entries(fields)) {
      for (const value of [null, 0, Number.NaN, 5n, symbol, [], 'a\0b']) {
        if (field === 'model' && value === 'a\0b') continue
        const error = await refusalOf(t, () => calls[name]!({ ...optionsOf(name), [field]: value }), field)
        isHelpful(t, error, 'ERR_INVALID_OPTION', `\`${field}\` to be`, part)
      }
    }
  })
}

test('a signal that is none is refused, and one that is aborted already rejects with its reason', async (t) => {
  const fakes = [
    { aborted: false, addEventListener() {}, removeEventListener() {}, throwIfAborted() {} },
    Object.create(AbortSignal.prototype),
    new EventTarget(),
    new AbortController(),
  ]
  const reason = new Error('enough')
  for (const name of ['train', 'predict', 'evaluate', 'features', 'calibrate']) {
    for (const signal of fakes) {
      const error = await refusalOf(t, () => calls[name]!({ ...optionsOf(name), signal }), name)
      isHelpful(t, error, 'ERR_INVALID_OPTION', '`signal` to be an AbortSignal')
    }
    const signal = AbortSignal.abort(reason)
    t.is(await refusalOf(t, () => calls[name]!({ ...optionsOf(name), signal }), name), reason)
  }
  t.is(await refusalOf(t, () => predict([], { model, signal: AbortSignal.abort(reason) })), reason)
})

const bytes = (count: number) => new Uint8Array(count).fill(99)
class Sub extends Uint8Array {}

test('pixels may be a view, clamped, pooled, of a subclass or from another realm', async (t) => {
  const size = face.data.length
  const expected = await predict(face, { model })
  const offset = new Uint8Array(size + 100)
  offset.set(bytes(size), 33)
  const pooled = Buffer.from(bytes(size))
  const foreign = vm.runInNewContext('(size) => new Uint8Array(size).fill(99)')(size)
  t.false(foreign instanceof Uint8Array)
  for (const data of [
    offset.subarray(33, 33 + size),
    new Uint8ClampedArray(bytes(size)),
    pooled,
    new Sub(bytes(size)),
    foreign,
  ]) {
    t.deepEqual(await predict({ ...face, data }, { model }), expected)
    if (data instanceof Uint8ClampedArray) continue
    const [answer] = await predict({ dtype: 'uint8', shape: [1, 32, 32, 3], data }, { model })
    t.deepEqual(answer, expected)
    t.is(
      typeof datasets.tensors({
        pixels: { dtype: 'uint8', shape: [1, 32, 32, 3], data },
        labels: [0],
        classes: ['anger'],
      }).name,
      'string',
    )
    t.is((await resize({ dtype: 'uint8', shape: [1, 32, 32, 3], data }, 32)).data[0], 99)
  }
})

/** Memory that another thread may write to, or that may go away while native code reads it. */
const unsteady = (size: number) => ({
  SharedArrayBuffer: new Uint8Array(new SharedArrayBuffer(size)),
  'resizable ArrayBuffer': new Uint8Array(
    new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(size, {
      maxByteLength: 2 * size,
    }),
  ),
})

test('memory that may change under the hands of native code is refused everywhere', async (t) => {
  const size = face.data.length
  for (const [kind, data] of Object.entries(unsteady(size))) {
    const tensor = { dtype: 'uint8', shape: [1, 32, 32, 3], data } as const
    const uses: readonly (() => unknown)[] = [
      () => predict({ ...face, data }, { model }),
      () => predict(data, { model }),
      () => predict(tensor, { model }),
      () => model.features(tensor),
      () => datasets.tensors({ pixels: tensor, labels: [0], classes: ['anger'] }),
      () => resize(tensor, 4),
    ]
    for (const use of uses)
      isHelpful(t, await refusalOf(t, use, String(use)), 'ERR_INVALID_OPTION', kind, 'Copy it')
  }
  const foreign = vm.runInNewContext('new Uint8Array(new SharedArrayBuffer(12))')
  isHelpful(
    t,
    await refusalOf(t, () => resize({ ...images, data: foreign }, 4)),
    'ERR_INVALID_OPTION',
    'SharedArrayBuffer',
  )
})

test('detached, empty and other kinds of memory are refused', async (t) => {
  const detached = bytes(face.data.length)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  isHelpful(t, await refusalOf(t, () => predict(detached, { model })), 'ERR_BAD_IMAGE', '0 bytes')
  const kinds = [
    detached,
    new Uint8Array(0),
    new DataView(new ArrayBuffer(3072)),
    new ArrayBuffer(3072),
    new Float32Array(3072),
    new Int8Array(3072),
    new Uint16Array(3072),
    Array(3072).fill(9),
    { length: 3072 },
    'x'.repeat(3072),
    null,
  ]
  for (const data of kinds as Uint8Array[]) {
    const tensor = { dtype: 'uint8', shape: [1, 32, 32, 3], data } as const
    for (const use of [
      () => predict({ ...face, data }, { model }),
      () => predict(tensor, { model }),
      () => datasets.tensors({ pixels: tensor, labels: [0], classes: ['anger'] }),
      () => resize(tensor, 4),
    ])
      isHelpful(
        t,
        await refusalOf(t, use, `${use} of ${Object.prototype.toString.call(data)}`),
        'ERR_INVALID_OPTION',
      )
  }
})

test('what is no picture is refused, whatever it is', async (t) => {
  for (const input of [
    undefined,
    null,
    5,
    Number.NaN,
    true,
    symbol,
    5n,
    {},
    () => {},
    new Date(0),
    new Map(),
    Object.create(null),
    new DataView(new ArrayBuffer(9)),
    new Float32Array(9),
    new Blob(['x']),
  ]) {
    isHelpful(
      t,
      await refusalOf(t, () => predict(input as Given, { model })),
      'ERR_INVALID_OPTION',
      /`picture 0` to be a path/,
    )
    isHelpful(
      t,
      await refusalOf(t, () => predict([input] as Given, { model })),
      'ERR_INVALID_OPTION',
      /Picture 0: /,
    )
  }
  isHelpful(
    t,
    await refusalOf(t, () => predict(new Array(2 ** 32 - 1), { model })),
    'ERR_INVALID_OPTION',
    /`picture 0`.*hole/,
  )
})

const sides: readonly unknown[] = [
  0,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  2 ** 53,
  1e308,
  '32',
  32n,
  null,
  symbol,
  [32],
]

test('wrong sides of pixels are refused by name', async (t) => {
  for (const field of ['width', 'height', 'channels'] as const) {
    for (const side of [...sides, ...(field === 'channels' ? [2, 4] : [])]) {
      const error = await refusalOf(
        t,
        () => predict({ ...face, [field]: side } as RawPixels, { model }),
        String(side),
      )
      isHelpful(t, error, 'ERR_INVALID_OPTION', new RegExp(`\`picture 0.(${field}|data)\``))
    }
  }
})

test('wrong shapes of tensors are refused by name', async (t) => {
  const shapes = [
    ...sides.flatMap((side) => [0, 1, 2, 3].map((axis) => [1, 2, 2, 3].with(axis, side as number))),
    [1, 2, 2],
    [1, 2, 2, 3, 1],
    [],
    null,
    '1,2,2,3',
    { length: 4 },
    [2 ** 27, 2 ** 27, 2 ** 27, 3],
    Object.assign(Array(4), { 0: 1, 2: 2, 3: 6 }),
    // A billion pictures of nothing.
    [1e9, 0, 2, 3],
    [2 ** 53 - 1, 0, 0, 3],
    new Array(2 ** 32 - 1),
  ] as number[][]
  for (const shape of shapes) {
    // No picture at all is fine, and nothing of nothing.
    const uses = [
      () => predict({ ...images, shape }, { model }),
      () => datasets.tensors({ pixels: { ...images, shape }, labels: [0], classes: ['anger'] }),
      () => resize({ ...images, shape }, 4),
    ]
    for (const use of uses)
      isHelpful(
        t,
        await refusalOf(t, use, `${use}`),
        'ERR_INVALID_OPTION',
        /`(pixels\.|images\.)?(shape|data)/,
      )
  }
  const nothing = { dtype: 'uint8', shape: [1e9, 0, 2, 3], data: new Uint8Array(0) } as const
  isHelpful(t, await refusalOf(t, () => predict(nothing, { model })), 'ERR_INVALID_OPTION', '`shape`')
  t.deepEqual(await predict({ ...nothing, shape: [0, 2, 2, 3] }, { model }), [])
})

test('resize refuses what would be larger than memory, and answers or refuses what is empty', async (t) => {
  for (const size of [
    ...sides.filter((side) => side !== '32'),
    65536,
    [65536, 65536],
    [],
    [4],
    ['4', 4],
    { length: 2 },
  ])
    isHelpful(
      t,
      await refusalOf(t, () => resize(images, size as number), String(typeof size)),
      'ERR_INVALID_OPTION',
      '`size`',
    )
  for (const shape of [
    [0, 2, 2, 3],
    [1, 0, 2, 3],
    [1, 2, 2, 0],
  ])
    await resize({ ...images, shape, data: new Uint8Array(0) }, 4).catch((error) =>
      isHelpful(t, error, ['ERR_INVALID_OPTION', 'ERR_NATIVE']),
    )
  t.pass()
})

test('arm and backbone refuse weights of every wrong kind by name', async (t) => {
  const tensor = (shape: number[]): Tensor<'float32'> => ({
    dtype: 'float32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  })
  const features = tensor([1, 2, 2, 256])
  const weights = {
    kernel: tensor([32, 32]),
    normWeight: tensor([1]),
    normBias: tensor([1]),
    normMean: tensor([1]),
    normVariance: tensor([1]),
  }
  t.is((await arm(features, weights)).data.length, 1)
  for (const wrong of [
    null,
    5,
    {},
    [],
    tensor([31, 32]),
    { ...tensor([32, 32]), dtype: 'float64' },
    { ...tensor([32, 32]), data: new SharedArrayBuffer(4096) },
    { ...tensor([32, 32]), shape: [1024] },
  ])
    isHelpful(
      t,
      await refusalOf(t, () => arm(features, { ...weights, kernel: wrong as Tensor })),
      'ERR_INVALID_OPTION',
      /`weights\.kernel/,
    )
  for (const wrong of [null, 5, 'text', undefined])
    isHelpful(t, await refusalOf(t, () => arm(features, wrong as Given)), 'ERR_INVALID_OPTION', '`weights`')
  for (const wrong of [null, 5, 'text', undefined])
    isHelpful(
      t,
      await refusalOf(t, () => backbone('resnet18', wrong as Given)),
      'ERR_INVALID_OPTION',
      '`weights`',
    )
  const scalars = { dtype: 'float32', shape: Array(9).fill(1), data: new Float32Array(1) } as const
  isHelpful(
    t,
    await refusalOf(t, () => backbone('resnet18', { 'conv1.weight': scalars })),
    'ERR_INVALID_OPTION',
    'conv1.weight',
    /at most 8 sides/,
  )
  for (const name of ['__proto__', '', 'x'.repeat(1e6), '\u001b[2J'])
    isHelpful(
      t,
      await refusalOf(t, () => backbone('resnet18', { [name]: null as Given })),
      'ERR_INVALID_OPTION',
      'weights',
    )
})

test('labels out of range, of other kinds or of another number are refused with their place', async (t) => {
  const two = { pixels: { ...images, shape: [2, 2, 1, 3] }, classes: ['anger', 'fear'] }
  for (const label of [
    2,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '0',
    0n,
    null,
    undefined,
    symbol,
    {},
    [0],
  ])
    isHelpful(
      t,
      await refusalOf(t, () => datasets.tensors({ ...two, labels: [0, label] as number[] })),
      'ERR_UNKNOWN_CLASS',
      '`labels[1]`',
    )
  for (const labels of [
    [],
    [0],
    [0, 1, 0],
    { length: 1e9 },
    new Array(2 ** 32 - 1),
    5,
    'ab',
    symbol,
    { length: Number.NaN },
  ])
    isHelpful(
      t,
      await refusalOf(t, () => datasets.tensors({ ...two, labels: labels as number[] })),
      ['ERR_INVALID_OPTION', 'ERR_UNKNOWN_CLASS'],
      '`labels',
    )
  for (const classes of [
    [],
    'anger',
    {},
    [null],
    [symbol],
    [Object.create(null)],
    ['anger', 'ANGER'],
    ['x'.repeat(1e6)],
    ['\u001b[2J'],
    new Array(1e9),
    Array(1e6).fill('anger'),
  ])
    isHelpful(
      t,
      await refusalOf(t, () => datasets.tensors({ ...two, labels: [0, 0], classes: classes as string[] })),
      ['ERR_INVALID_OPTION', 'ERR_UNKNOWN_CLASS'],
      '`classes',
    )
})

test('boxes are refused with the number that is wrong, or with the size of the picture', async (t) => {
  const box = { left: 0, top: 0, width: 8, height: 8 }
  for (const field of Object.keys(box)) {
    for (const value of [
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1e308,
      2 ** 53,
      '1',
      1n,
      null,
      undefined,
      symbol,
      [1],
    ]) {
      const given = { ...box, [field]: value } as typeof box
      for (const use of [
        () => predict(face, { model, box: given }),
        () => predict({ image: face, box: given }, { model }),
        () => predict({ ...face, box: given }, { model }),
      ])
        isHelpful(t, await refusalOf(t, use, String(value)), 'ERR_INVALID_OPTION', `\`box.${field}\``)
    }
    for (const value of [-1, 33, 2 ** 53 - 1, -(2 ** 53) + 1])
      isHelpful(
        t,
        await refusalOf(t, () => predict(face, { model, box: { ...box, [field]: value } })),
        'ERR_BAD_BOX',
        '32 x 32',
      )
  }
  for (const given of [5, 'box', [0, 0, 8, 8], () => {}, symbol])
    isHelpful(
      t,
      await refusalOf(t, () => predict(face, { model, box: given as Given })),
      'ERR_INVALID_OPTION',
      '`box`',
    )
  t.is(typeof (await predict(face, { model, box: { ...box, left: -0 } })).label, 'string')
})

test('paths of data sets that are none are refused', async (t) => {
  for (const make of [datasets.folder, datasets.fer2013, datasets.rafDb] as ((path: never) => Dataset)[]) {
    for (const path of [null, undefined, 5, '', 'a\0b', [], {}, symbol, new URL('file:///x')])
      isHelpful(t, await refusalOf(t, () => make(path as Given)), 'ERR_INVALID_OPTION', '`path`')
    for (const path of ['x'.repeat(300), '/dev/null/x'])
      await t.throwsAsync(make(path as Given).open('train'), { code: 'ERR_DATASET_NOT_FOUND' })
  }
})

test('a million inputs, and an array that changes while it is read', async (t) => {
  const started = performance.now()
  const many = Array<Uint8Array>(1e6).fill(new Uint8Array(0))
  isHelpful(t, await refusalOf(t, () => predict(many, { model })), 'ERR_BAD_IMAGE', /Picture 0: .*0 bytes/)
  const answers = await predict(many.slice(0, 3000), { model, onError: 'return' })
  t.is(answers.length, 3000)
  t.true(performance.now() - started < 10e3, `${performance.now() - started} ms`)
  const pictures: RawPixels[] = [face, face]
  const shrinking = {
    ...face,
    get width() {
      pictures.length = 0
      return 32
    },
  }
  pictures.unshift(shrinking as RawPixels)
  t.is((await predict(pictures, { model })).length, 3)
})

test('a model that is none is refused', async (t) => {
  for (const wrong of [null, 5, {}, symbol, [], () => {}]) {
    isHelpful(
      t,
      await refusalOf(t, () => predict(face, { model: wrong as Given })),
      'ERR_INVALID_OPTION',
      '`model`',
    )
    isHelpful(t, await refusalOf(t, () => evaluate(wrong as Given, data)), 'ERR_INVALID_OPTION', '`model`')
    isHelpful(t, await refusalOf(t, () => evaluate(model, wrong as Given)), 'ERR_INVALID_OPTION', '`data`')
    isHelpful(t, await refusalOf(t, () => model.calibrate(wrong as Given)), 'ERR_INVALID_OPTION', '`data`')
    isHelpful(t, await refusalOf(t, () => Model.load(wrong as Given)), 'ERR_INVALID_OPTION', '`path`')
  }
  // Where none is named, only predict and load have one of their own.
  isHelpful(t, await refusalOf(t, () => evaluate(undefined as Given, data)), 'ERR_INVALID_OPTION', '`model`')
})
