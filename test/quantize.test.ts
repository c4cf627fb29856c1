import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  type Dataset,
  evaluate,
  Model,
  type Prediction,
  predict,
  type QuantizeOptions,
  type RawPixels,
  train,
} from '../lib/index.js'
import { native } from '../lib/native.js'
import { blocks, isHelpful, refusalOf, untrainedModel } from './hostile/fixtures.js'
import { type Header, putTogether, takeApart } from './safetensors-file.js'
import { faces, outputFolder, smallModel, smallRun, testPictures } from './trained.js'

// Without these instructions oneDNN multiplies bytes in another way, which rounds otherwise.
const hasBytes = native.describe().processor.avx512_vnni === true
const testOfBytes = hasBytes ? test : test.skip

let model: Model
let pictures: RawPixels[]
/** What the model answered before it was quantised. */
let before: Record<'float32' | 'bfloat16', Prediction[]>
/** Files of the model before it was quantised, and after. */
let unquantized: string
let quantized: string
let whole: Awaited<ReturnType<typeof takeApart>>

const path = (): string => `${outputFolder()}.safetensors`
const exact = ['float32', 'bfloat16'] as const

test.before(async () => {
  model = await smallModel()
  pictures = await testPictures()
  before = {
    float32: await predict(pictures, { model, precision: 'float32', logits: true }),
    bfloat16: await predict(pictures, { model, precision: 'bfloat16', logits: true }),
  }
  unquantized = path()
  await model.save(unquantized)
  await model.quantize(faces)
  quantized = path()
  await model.save(quantized)
  whole = await takeApart(quantized)
})

const difference = (a: Prediction, b: Prediction): number =>
  Math.max(
    ...Object.keys(a.probabilities).map((name) => Math.abs(a.probabilities[name]! - b.probabilities[name]!)),
  )

const differences = (a: readonly Prediction[], b: readonly Prediction[]): number[] =>
  a.map((answer, i) => difference(answer, b[i]!))

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value) / values.length

for (const [name, use] of Object.entries({
  predict: (own: Model) => predict(pictures, { model: own, precision: 'int8' }),
  features: (own: Model) => own.features(pictures, { precision: 'int8' }),
  evaluate: (own: Model) => evaluate(own, faces, { precision: 'int8' }),
  calibrate: (own: Model) => own.calibrate(faces, { precision: 'int8' }),
})) {
  test(`${name} in int8 of a model that was not quantised is refused with the cure`, async (t) => {
    await using own = await Model.load(unquantized)
    t.is(own.info.quantization, undefined)
    const error = await refusalOf(t, () => use(own))
    isHelpful(t, error, 'ERR_NOT_QUANTIZED', '`model.quantize(data)`', '`fer-torch quantize`')
  })
}

testOfBytes('int8 answers nearly as float32 does, and not by it', async (t) => {
  const answers = await predict(pictures, { model, precision: 'int8' })
  const same = answers.filter(({ label }, i) => label === before.float32[i]!.label)
  const off = differences(answers, before.float32)
  t.log(`${same.length} of ${answers.length} labels; off by ${mean(off)}, at most ${Math.max(...off)}`)
  // Measured: 41 of 42; 0.0065 and 0.063. The model has seen each face twice, so that it is sure of none.
  t.true(same.length >= 40)
  t.true(mean(off) < 0.02 && Math.max(...off) < 0.12)
  t.true(mean(off) > mean(differences(before.bfloat16, before.float32)), 'bfloat16 is finer')
})

for (const precision of exact) {
  test(`in ${precision} a quantised model answers as before, to the bit`, async (t) => {
    t.deepEqual(await predict(pictures, { model, precision, logits: true }), before[precision])
  })
}

test('quantising leaves every weight of the file as it was', async (t) => {
  const old = await takeApart(unquantized)
  t.true(old.data.equals(whole.data))
  const { __metadata__: _, ...tensors } = whole.header
  const { __metadata__: __, ...others } = old.header
  t.deepEqual(tensors, others)
})

test('the model says what it was measured on, a range for each value of its network', (t) => {
  const { ranges, ...measured } = model.info.quantization!
  t.deepEqual(measured, { data: 'synthetic:42 seed 5', split: 'train', faces: 42 })
  // ResNet-18: the picture, 17 convolutions, 3 shortcuts that are convolutions; stem small does not pool.
  t.is(ranges.length, 1 + 17 + 3)
  for (const [low, high] of ranges) t.true(low <= 0 && high > 0 && high < 100)
})

testOfBytes('the ranges survive save and load, and so do the answers', async (t) => {
  const half = path()
  await model.save(half, { dtype: 'bfloat16' })
  const answers = await predict(pictures, { model, precision: 'int8' })
  t.deepEqual((await Model.load(quantized)).info, model.info)
  t.deepEqual((await Model.load(half)).info, model.info)
  t.deepEqual(await predict(pictures, { model: quantized, precision: 'int8' }), answers)
  // 8 bits of each weight are kept, and int8 keeps 8 of them: as far apart as int8 is from float32.
  t.true(mean(differences(await predict(pictures, { model: half, precision: 'int8' }), answers)) < 0.03)
})

testOfBytes('evaluate answers the same faces alike, and tells the precision, not the ranges', async (t) => {
  const evaluation = await evaluate(model, faces, { precision: 'int8' })
  t.is(evaluation.precision, 'int8')
  t.false('ranges' in evaluation)
  const { samples, classes } = await faces.open('test')
  const answers = await predict(pictures, { model, precision: 'int8' })
  const right = answers.filter(({ label }, i) => label === classes[samples[i]!.label])
  t.is(evaluation.accuracy, right.length / samples.length)
})

testOfBytes('features in int8 are near those of float32, and those the answer is made of', async (t) => {
  const [exactly, nearly] = await Promise.all([
    model.features(pictures, { precision: 'float32' }),
    model.features(pictures, { precision: 'int8' }),
  ])
  t.is(nearly.length, exactly.length)
  t.true(distance(nearly, exactly) < 0.15, `${distance(nearly, exactly)}`)
})

/** The length of the difference as a part of the length of `exactly`. */
function distance(nearly: Float32Array, exactly: Float32Array): number {
  const length = (values: Float32Array) => Math.hypot(...values)
  return length(nearly.map((value, i) => value - exactly[i]!)) / length(exactly)
}

// The promise of README; whole numbers add up alike in any order, floating ones nearly.
for (const [precision, tolerance] of [
  ['float32', 1e-5],
  ['bfloat16', 5e-3],
  ['int8', 5e-3],
] as const) {
  const on = precision === 'int8' ? testOfBytes : test
  on(`in ${precision} a face has one answer: alone, in any batch, in any order`, async (t) => {
    const options = { model, precision }
    const alone = await Promise.all(pictures.map((picture) => predict(picture, options)))
    for (const batchSize of [2, 3, 8, 17]) {
      const together = await predict(pictures, { ...options, batchSize })
      t.true(Math.max(...differences(together, alone)) < tolerance, `batch ${batchSize}`)
    }
    const backwards = await predict(pictures.toReversed(), options)
    t.true(Math.max(...differences(backwards.toReversed(), alone)) < tolerance)
    const crowd = [pictures[9]!, ...Array<RawPixels>(16).fill(white), pictures[9]!]
    const [first, last] = await predict(crowd, options).then((answers) => [answers[0]!, answers[17]!])
    t.true(Math.max(...differences([first, last], [alone[9]!, alone[9]!])) < tolerance, 'among white ones')
  })
}

const white: RawPixels = { data: new Uint8Array(48 * 48 * 3).fill(255), width: 48, height: 48, channels: 3 }

const everyPrecision = hasBytes ? ([...exact, 'int8'] as const) : exact

test('at any split over cores a face has one answer, in every precision', async (t) => {
  const code = `
    const { predict, datasets } = await import(${JSON.stringify(new URL('../lib/index.ts', import.meta.url).href)})
    const { samples } = await datasets.synthetic({ count: 42, seed: 5 }).open('test')
    const pictures = await Promise.all(samples.map((sample) => sample.read()))
    const answers = {}
    for (const precision of ${JSON.stringify(everyPrecision)})
      answers[precision] = await predict(pictures, { model: ${JSON.stringify(quantized)}, precision })
    console.log(JSON.stringify(answers))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', '--input-type=module', '--eval', code],
    { env: { ...process.env, OMP_NUM_THREADS: '1' } },
  )
  const there = JSON.parse(stdout)
  for (const precision of everyPrecision) {
    const here = await predict(pictures, { model, precision })
    const off = Math.max(...differences(there[precision], here))
    t.true(off < (precision === 'float32' ? 1e-5 : 5e-3), `${precision}: ${off}`)
  }
})

test('calls in every precision at once answer as each alone', async (t) => {
  const calls = everyPrecision.flatMap((precision) => [
    () => predict(pictures, { model, precision, batchSize: 5 }),
    () => model.features(pictures, { precision, batchSize: 5 }),
  ])
  const alone: unknown[] = []
  for (const call of calls) alone.push(await call())
  t.deepEqual(await Promise.all([...calls, ...calls].map((call) => call())), [...alone, ...alone])
})

test('the event loop turns while faces are measured', async (t) => {
  await using own = await Model.load(unquantized)
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  const started = performance.now()
  await own.quantize(faces)
  clearInterval(timer)
  const possible = (performance.now() - started) / 5
  t.true(turns > possible / 4, `${turns} turns of ${possible} possible`)
})

test('so many faces as asked for are measured, evenly spaced', async (t) => {
  // Of 42 faces 6: one in seven.
  const those: Dataset = {
    ...faces,
    open: async (name) => {
      const { pixels: _, ...split } = await faces.open(name)
      const samples = split.samples.filter((_, i) => i % 7 === 0)
      return { ...split, samples, fingerprint: `one in seven of ${split.fingerprint}` }
    },
  }
  await using own = await Model.load(unquantized)
  await own.quantize(faces, { faces: 6 })
  const byNumber = own.info.quantization!
  t.is(byNumber.faces, 6)
  await own.quantize(those)
  t.deepEqual(own.info.quantization, byNumber)
  t.notDeepEqual(byNumber.ranges, model.info.quantization!.ranges)
  await own.quantize(blocks(), { faces: 1e6 })
  const { ranges: _, ...measured } = own.info.quantization!
  t.deepEqual(measured, { data: 'tensors:14', split: 'all', faces: 14 }, 'at most those there are')
})

testOfBytes('quantising again replaces what was measured before', async (t) => {
  await using own = await Model.load(unquantized)
  await own.quantize(blocks())
  const dark = await predict(pictures, { model: own, precision: 'int8' })
  await own.quantize(faces)
  t.deepEqual(own.info, model.info)
  const answers = await predict(pictures, { model: own, precision: 'int8' })
  t.deepEqual(answers, await predict(pictures, { model, precision: 'int8' }))
  t.true(mean(differences(dark, before.float32)) > mean(differences(answers, before.float32)))
})

testOfBytes('calibrating afterwards keeps the ranges, and int8 follows the new generic part', async (t) => {
  await using own = await Model.load(unquantized)
  await own.quantize(faces)
  await own.calibrate(blocks())
  t.deepEqual(own.info.quantization, model.info.quantization)
  const off = async (precision: 'float32' | 'int8') =>
    mean(
      differences(
        await predict(pictures, { model: own, precision }),
        await predict(pictures, { model, precision }),
      ),
    )
  const [exactly, nearly] = [await off('float32'), await off('int8')]
  t.true(exactly > 1e-3, `${exactly}`)
  t.true(Math.abs(nearly - exactly) < exactly / 2, `${exactly} in float32, ${nearly} in int8`)
})

test('progress rises to the number of faces, once for each', async (t) => {
  await using own = await Model.load(unquantized)
  const heard: [number, number][] = []
  await own.quantize(faces, { faces: 20, onProgress: (done, total) => heard.push([done, total]) })
  t.deepEqual(heard.at(-1), [20, 20])
  t.deepEqual(
    heard.map(([done]) => done),
    heard.map(([done]) => done).toSorted((a, b) => a - b),
  )
  t.true(heard.every(([done, total]) => done >= 0 && total === 20))
})

test('stopped in the middle it rejects with the reason, and the model is as before', async (t) => {
  await using own = await Model.load(unquantized)
  const reason = new Error('enough')
  const stopped = async (options: QuantizeOptions) => {
    await t.throwsAsync(() => own.quantize(faces, options), { is: reason })
    t.is(own.info.quantization, undefined)
  }
  await stopped({ signal: AbortSignal.abort(reason) })
  const controller = new AbortController()
  let heard = 0
  await stopped({
    signal: controller.signal,
    onProgress: (done) => {
      heard = done
      controller.abort(reason)
    },
  })
  t.true(heard < 42, `stopped after ${heard}`)
  await stopped({
    onProgress: () => {
      throw reason
    },
  })
  await t.throwsAsync(() => predict(pictures, { model: own, precision: 'int8' }), {
    code: 'ERR_NOT_QUANTIZED',
  })
  await own.quantize(faces)
  t.deepEqual(own.info.quantization, model.info.quantization)
})

test('stopped when it is done again, it leaves the earlier ranges', async (t) => {
  await using own = await Model.load(unquantized)
  await own.quantize(faces)
  const reason = new Error('enough')
  const onProgress = () => {
    throw reason
  }
  await t.throwsAsync(() => own.quantize(blocks(), { onProgress }), { is: reason })
  t.deepEqual(own.info.quantization, model.info.quantization)
})

const without: Dataset = {
  name: 'nothing',
  splits: async () => ['train'],
  open: async () => ({
    classes: ['happiness', 'sadness'],
    color: 'rgb',
    samples: [],
    fingerprint: 'nothing',
  }),
}

test('a split without faces and options that are wrong are refused by name', async (t) => {
  await using own = await Model.load(unquantized)
  const refuses = async (
    data: unknown,
    options: object,
    code: Parameters<typeof isHelpful>[2],
    part: RegExp,
  ) =>
    isHelpful(t, await refusalOf(t, () => own.quantize(data as Dataset, options), String(part)), code, part)
  await refuses(without, {}, 'ERR_DATASET_EMPTY', /no picture to measure\. Add some/)
  await refuses(undefined, {}, 'ERR_INVALID_OPTION', /`data` to be a data set/)
  await refuses(faces, { faces: 0 }, 'ERR_INVALID_OPTION', /`faces` to be an integer from 1/)
  await refuses(faces, { face: 9 }, 'ERR_UNKNOWN_OPTION', /did you mean `faces`/)
  await refuses(faces, { split: 'tset' }, 'ERR_INVALID_OPTION', /did you mean `test`/)
  t.is(own.info.quantization, undefined)
  own.dispose()
  await refuses(faces, {}, 'ERR_DISPOSED', /disposed of/)
})

for (const changes of [
  { head: 'gap', affinity: 'none' },
  { affinity: 'none' },
  { color: 'grey' },
  { stem: 'standard', imageSize: 112 },
  { stem: 'medium', imageSize: 64 },
  { backbone: 'resnet34' },
] as const) {
  testOfBytes(`a model with ${JSON.stringify(changes)} can be quantised`, async (t) => {
    await using own = await untrainedModel(changes)
    await own.quantize(faces)
    const some = pictures.slice(0, 6)
    const exactly = await own.features(some, { precision: 'float32', affinity: 'none' })
    const nearly = await own.features(some, { precision: 'int8', affinity: 'none' })
    t.log(`off by ${distance(nearly, exactly)} of its length`)
    // Measured: 0.01 to 0.03.
    t.true(distance(nearly, exactly) < 0.06)
  })
}

test('a run that begins with the weights of a quantised model does not take its ranges', async (t) => {
  const { model: own } = await train({ ...smallRun(), pretrained: quantized })
  t.is(own.info.quantization, undefined)
})

// Of 150 characters, with a line's end and a command for terminals in it.
for (const name of [
  `folder:${'research/'.repeat(16)}`,
  '',
  'folder:new\nline',
  'folder:\u001b[2J',
  'folder:\u{1f468}\u200d\u{1f469}',
]) {
  test(`a model quantised on data called ${JSON.stringify(name).slice(0, 30)} can be saved and loaded`, async (t) => {
    await using own = await Model.load(unquantized)
    await own.quantize({ ...blocks(), name })
    const file = path()
    await own.save(file)
    const { quantization } = (await Model.load(file)).info
    t.is(quantization!.data, name.replace(/\p{C}/gu, '?'), 'nothing that a terminal would obey')
    t.deepEqual(quantization!.ranges, own.info.quantization!.ranges)
  })
}

type Given = Record<string, unknown> & { ranges: unknown[] }

/** The quantised model with what its header says of that changed. */
async function damaged(change: (quantization: Given) => unknown): Promise<string> {
  const { header, data } = whole
  const info = JSON.parse(header.__metadata__!.model!)
  const metadata = {
    ...header.__metadata__,
    model: JSON.stringify({ ...info, quantization: change(info.quantization) }),
  }
  return putTogether(path(), { ...header, __metadata__: metadata } as unknown as Header, data)
}

const refused: readonly [string, (given: Given) => unknown, RegExp][] = [
  ['no object', () => [], /`quantization` to be an object, got an array/],
  ['null', () => null, /`quantization` to be an object, got `null`/],
  ['without ranges', ({ ranges: _, ...rest }) => rest, /`quantization\.ranges`/],
  ['ranges by name', (given) => ({ ...given, ranges: { 0: [0, 1] } }), /`quantization\.ranges`/],
  ['20,000 ranges', (given) => ({ ...given, ranges: Array(20_000).fill([0, 1]) }), /at most 10000 ranges/],
  ['of no face', (given) => ({ ...given, faces: 0 }), /`quantization\.faces`/],
  ['with a field too many', (given) => ({ ...given, scale: 1 }), /`quantization\.scale`/],
  ...(Object.entries({
    'the lower end above the upper': [2, 1],
    texts: ['0', '1'],
    // What JSON makes of NaN and of infinity.
    'NaN below': [Number.NaN, 1],
    'infinity above': [0, Number.POSITIVE_INFINITY],
    'beyond float32': [0, 1e39],
    'one number': [1],
    'three numbers': [0, 1, 2],
    'an object': { 0: 0, 1: 1, length: 2 },
    null: null,
  }).map(
    ([name, pair]) =>
      [
        `a range that is ${name}`,
        (given: Given) => ({ ...given, ranges: given.ranges.with(3, pair) }),
        /`quantization\.ranges\[3\]/,
      ] as const,
  ) as [string, (given: Given) => unknown, RegExp][]),
]

for (const [name, change, part] of refused) {
  test(`a header with ${name} is refused`, async (t) => {
    const file = await damaged(change)
    isHelpful(t, await refusalOf(t, () => Model.load(file)), 'ERR_BAD_MODEL', file, part)
  })
}

for (const [name, change] of Object.entries({
  none: () => [],
  'one too few': (ranges: unknown[]) => ranges.slice(1),
  'one too many': (ranges: unknown[]) => [...ranges, [0, 1]],
})) {
  testOfBytes(
    `a header with ${name} of the ranges serves every precision but int8, which says so`,
    async (t) => {
      const file = await damaged((given) => ({ ...given, ranges: change(given.ranges) }))
      await using own = await Model.load(file)
      t.deepEqual(await predict(pictures, { model: own, precision: 'float32', logits: true }), before.float32)
      const error = await refusalOf(t, () => predict(pictures, { model: own, precision: 'int8' }))
      isHelpful(
        t,
        error,
        ['ERR_BAD_MODEL', 'ERR_INVALID_OPTION'],
        /ranges are \d+, its values 21/,
        /Quantise it anew/,
      )
      await own.quantize(faces)
      t.deepEqual(own.info, model.info, 'and the cure works')
    },
  )
}

for (const [name, pair] of Object.entries({
  nothing: [0, 0],
  'next to nothing': [0, 5e-324],
  everything: [-1e30, 1e30],
  'far from zero': [5, 6],
})) {
  testOfBytes(`ranges of ${name} give an answer or an error, and do no harm`, async (t) => {
    await using own = await Model.load(
      await damaged((given) => ({ ...given, ranges: given.ranges.map(() => pair) })),
    )
    const ended = await predict(pictures, { model: own, precision: 'int8' }).catch((error) => error)
    if (ended instanceof Error) isHelpful(t, ended, 'ERR_BAD_MODEL')
    else for (const { confidence } of ended as Prediction[]) t.true(confidence >= 1 / 7 && confidence <= 1)
    t.deepEqual(await predict(pictures, { model: own, precision: 'float32', logits: true }), before.float32)
  })
}

/** Weights so large, each of them finite, that what they make of a face is not. */
async function overflowing(t: ExecutionContext, scale: number): Promise<Model> {
  const file = path()
  const { header, data } = await takeApart(unquantized)
  const [begin, end] = header['layer1.0.bn1.weight']!.data_offsets
  for (let i = begin; i < end; i += 4) data.writeFloatLE(scale, i)
  const own = await Model.load(await putTogether(file, header, data))
  t.teardown(() => own.dispose())
  return own
}

// Today the ranges are taken over as they are: what is saved is then refused by load, and int8 answers nonsense.
for (const scale of [1e32, 3e38]) {
  test(`a model whose values go beyond all bounds (weights of ${scale}) cannot be quantised`, async (t) => {
    const own = await overflowing(t, scale)
    isHelpful(t, await refusalOf(t, () => own.quantize(faces)), 'ERR_BAD_MODEL')
    t.is(own.info.quantization, undefined)
  })
}
