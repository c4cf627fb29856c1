import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import test from 'ava'
import type { Split } from '../lib/datasets/dataset.js'
import { degradations } from '../lib/images/degradations.js'
import { degraded, someOf } from '../lib/images/degraded.js'
import { type Dataset, datasets, evaluate, Model, type Robustness, robustness } from '../lib/index.js'
import { faces as drawn, outputFolder, smallModel } from './trained.js'

/** The same faces, each drawn once: a sweep reads them forty times. */
function drawnOnce(data: Dataset): Dataset {
  const splits = new Map<string, ReturnType<Dataset['open']>>()
  const openOnce: Dataset['open'] = async (name) => {
    const split = await data.open(name)
    const pictures = await Promise.all(split.samples.map(({ read }) => read()))
    return {
      ...split,
      samples: split.samples.map((sample, i) => ({ ...sample, read: async () => pictures[i]! })),
    }
  }
  const open: Dataset['open'] = (name) => {
    if (!splits.has(name)) splits.set(name, openOnce(name))
    return splits.get(name)!
  }
  return { ...data, open }
}

const faces = drawnOnce(drawn)

let model: Model
let result: Robustness
const heard: [number, number][] = []

test.before(async () => {
  model = await smallModel()
  result = await robustness(model, faces, {
    precision: 'float32',
    onProgress: (done, total) => heard.push([done, total]),
  })
})

const left = async () => {
  const cache = process.env.FER_TORCH_CACHE!
  return existsSync(cache) ? (await readdir(cache)).filter((name) => name.startsWith('robustness')) : []
}

test('the clean accuracy and its interval are those of evaluate', async (t) => {
  const { accuracy, intervals } = await evaluate(model, faces, { split: 'validation', precision: 'float32' })
  t.deepEqual(result.clean, { accuracy, interval: intervals.accuracy })
})

test('it says on what it was measured', (t) => {
  const { degradations: _, clean: __, ...facts } = result
  t.deepEqual(facts, {
    data: 'synthetic:42 seed 5',
    split: 'validation',
    faces: 42,
    seed: 0,
    affinity: 'ema',
    precision: 'float32',
  })
})

test('measured are validation faces, never the test split: at most so many as asked for, evenly spaced', async (t) => {
  const opened: string[] = []
  const open: Dataset['open'] = (split) => {
    opened.push(split)
    return faces.open(split)
  }
  const { faces: count, clean } = await robustness(
    model,
    { ...faces, open },
    { limit: 6, precision: 'float32' },
  )
  t.deepEqual([opened, count], [['validation'], 6])
  const some: Dataset = {
    ...faces,
    open: async (name) => someOf(await faces.open(name), [0, 7, 14, 21, 28, 35]),
  }
  const { accuracy } = await evaluate(model, some, { split: 'validation', precision: 'float32' })
  t.is(clean.accuracy, accuracy)
})

test('there is a row a degradation that changes a face, with its interval and the drop', (t) => {
  // Drawn faces have 96 pixels, in colour: too few to be shrunk to 224, 128 or 96.
  const expected = degradations.filter(
    ({ kind, level }) => !(kind === 'resolution' && [224, 128, 96].includes(level as number)),
  )
  t.deepEqual(
    result.degradations.map(({ kind, level, unit }) => ({ kind, level, unit })),
    expected.map(({ kind, level, unit }) => ({ kind, level, unit })),
  )
  for (const { accuracy, interval, drop, changed } of result.degradations) {
    t.is(changed, 42)
    t.is(drop, result.clean.accuracy - accuracy)
    t.true(interval[0] <= accuracy && accuracy <= interval[1])
  }
})

test('each row is what evaluate says of the faces degraded by hand', async (t) => {
  for (const [kind, level] of [
    ['resolution', 16],
    ['noise', 40],
    ['occlusion', 0.3],
    ['tint', 'cold'],
  ] as const) {
    const degradation = degradations.find((row) => row.kind === kind && row.level === level)!
    const worse: Dataset = {
      ...faces,
      open: async (name) => degraded(await faces.open(name), degradation, 0),
    }
    const { accuracy, intervals } = await evaluate(model, worse, {
      split: 'validation',
      precision: 'float32',
    })
    const row = result.degradations.find((row) => row.kind === kind && row.level === level)!
    t.deepEqual([row.accuracy, row.interval], [accuracy, intervals.accuracy])
  }
})

test('it matters: a model that tells dark faces from bright ones fails in the dark', async (t) => {
  const count = 40
  const levelOf = (face: number) => (face % 2 ? 200 : 110) + Math.floor(face / 2)
  const data = datasets.tensors({
    pixels: {
      dtype: 'uint8',
      shape: [count, 32, 32, 1],
      data: Uint8Array.from({ length: count * 1024 }, (_, i) => levelOf(Math.floor(i / 1024)) + (i % 7)),
    },
    labels: Array.from({ length: count }, (_, i) => i % 2),
    classes: ['happy', 'sad'],
  })
  const own = await smallModel({
    data,
    imageSize: 32,
    batchSize: 12,
    epochs: 6,
    augmentation: { brightness: 0, contrast: 0 },
  })
  const { clean, degradations: rows, split } = await robustness(own, data)
  t.is(split, 'all')
  t.is(clean.accuracy, 1)
  const dark = rows.find(({ kind, level }) => kind === 'brightness' && level === 0.4)!
  // 0.4 times 200 is darker than all that it has seen as bright.
  t.true(dark.accuracy < 0.75 && dark.drop > 0.25, `${dark.accuracy}`)
  const jpeg = rows.find(({ kind, level }) => kind === 'jpeg' && level === 90)!
  t.true(jpeg.accuracy > 0.9)
  t.false(
    rows.some(({ kind }) => kind === 'saturation' || kind === 'tint'),
    'grey faces have no colour',
  )
})

test('the same seed gives the same result; another one other noise and places', async (t) => {
  const run = (seed: number) => robustness(model, faces, { seed, limit: 3, precision: 'float32' })
  const [first, again] = [await run(1), await run(1)]
  t.deepEqual(again, first)
  const split = await faces.open('validation')
  const [noise] = degradations.filter(({ kind }) => kind === 'noise')
  const pixels = async (seed: number) => (await degraded(split, noise!, seed).samples[0]!.read()).data
  t.deepEqual(await pixels(1), await pixels(1))
  t.notDeepEqual(await pixels(1), await pixels(2))
})

test('two faces get noise of their own, also where they are of one picture', async (t) => {
  const split = await faces.open('validation')
  const { read } = split.samples[0]!
  const twins = { ...split, samples: split.samples.slice(0, 2).map((sample) => ({ ...sample, read })) }
  const [noise] = degradations.filter(({ kind }) => kind === 'noise')
  const [one, other] = await Promise.all(degraded(twins, noise!, 0).samples.map((sample) => sample.read()))
  t.notDeepEqual(one!.data, other!.data)
})

test('faces of several sizes: a row says how many it changes, and the others stay as they are', async (t) => {
  const split = await faces.open('validation')
  const small = degradations.find(({ kind, level }) => kind === 'resolution' && level === 48)!
  const mixed: Dataset = {
    ...faces,
    open: async () => ({
      ...split,
      fingerprint: 'mixed',
      samples: split.samples.map((sample, i) =>
        i % 3 ? sample : { ...sample, read: async () => small.apply(await sample.read(), 0) },
      ),
    }),
  }
  // Faces 0, 7, 14, 21, 28 and 35, of which 0 and 21 are small.
  const { degradations: rows } = await robustness(model, mixed, { limit: 6, precision: 'float32' })
  const changed = (level: number) =>
    rows.find((row) => row.kind === 'resolution' && row.level === level)?.changed
  t.deepEqual([96, 64, 48, 32].map(changed), [undefined, 4, 4, 6])
})

test('progress rises to its end, twice a face and degradation', (t) => {
  const total = 2 * 42 * (1 + degradations.length)
  t.true(heard.every(([done, all], i) => all === total && done >= (heard[i - 1]?.[0] ?? 0)))
  t.deepEqual(heard.at(-1), [total, total])
})

test('nothing is left in the cache, whether it ends or is aborted', async (t) => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const onProgress = (done: number) => {
    if (done > 100) controller.abort(reason)
  }
  await t.throwsAsync(() => robustness(model, faces, { signal: controller.signal, onProgress }), {
    is: reason,
  })
  await t.throwsAsync(() => robustness(model, faces, { signal: AbortSignal.abort(reason) }), { is: reason })
  const thrown = new Error('mine')
  await t.throwsAsync(
    () =>
      robustness(model, faces, {
        onProgress: () => {
          throw thrown
        },
      }),
    { is: thrown },
  )
  t.deepEqual(await left(), [])
})

test('a model disposed of meanwhile is measured to the end, and refused the next time', async (t) => {
  const file = `${outputFolder()}.safetensors`
  await model.save(file)
  const own = await Model.load(file)
  const pending = robustness(own, faces, { limit: 1 })
  own.dispose()
  t.is((await pending).faces, 1)
  await t.throwsAsync(() => robustness(own, faces), { code: 'ERR_DISPOSED' })
})

test('flip is heard, and told', async (t) => {
  const options = { flip: true, precision: 'float32' } as const
  const few: Dataset = {
    ...faces,
    open: async (name) => someOf(await faces.open(name), [3, 4, 5, 6, 7, 8, 9]),
  }
  const { flip, clean, degradations: rows } = await robustness(model, few, options)
  t.true(flip)
  t.false('flip' in result)
  t.is(clean.accuracy, (await evaluate(model, few, { split: 'validation', ...options })).accuracy)
  const dark = degradations.find(({ kind, level }) => kind === 'brightness' && level === 0.4)!
  const darker: Dataset = { ...few, open: async (name) => degraded(await few.open(name), dark, 0) }
  const { accuracy } = await evaluate(model, darker, { split: 'validation', ...options })
  t.is(rows.find(({ kind, level }) => kind === 'brightness' && level === 0.4)!.accuracy, accuracy)
})

test('a face that cannot be read ends it, by name and before the others are made worse', async (t) => {
  const reading = (read: () => Promise<unknown>): Dataset => ({
    ...faces,
    open: async (name) => {
      const split = await faces.open(name)
      return {
        ...split,
        samples: split.samples.map((sample, i) => (i === 20 ? { ...sample, read } : sample)),
      } as Split
    },
  })
  const mine = new Error('no such face')
  await t.throwsAsync(
    () =>
      robustness(
        model,
        reading(() => Promise.reject(mine)),
      ),
    { is: mine },
  )
  for (const what of [
    undefined,
    null,
    'face.jpg',
    { width: 8, height: 8, channels: 2, data: new Uint8Array(128) },
  ])
    await t.throwsAsync(
      () =>
        robustness(
          model,
          reading(async () => what),
        ),
      { code: 'ERR_BAD_DATA' },
    )
  t.deepEqual(await left(), [])
})

test('what cannot work is refused with the field', async (t) => {
  const refuses = (call: () => Promise<unknown>, message: RegExp) => t.throwsAsync(call, { message })
  await refuses(() => robustness({} as Model, faces), /`model`/)
  await refuses(() => robustness(model, 'folder:faces' as never), /`data`/)
  for (const limit of [0, -1, 1.5, Number.NaN, 1e6 + 1, '7', null])
    await refuses(
      () => robustness(model, faces, { limit } as never),
      /`limit` to be an integer from 1 to 1000000/,
    )
  for (const seed of [0.5, -1, 2 ** 32, '1'])
    await refuses(
      () => robustness(model, faces, { seed } as never),
      /`seed` to be an integer from 0 to 4294967295/,
    )
  await refuses(() => robustness(model, faces, null as never), /`options` to be an object/)
  await refuses(() => robustness(model, faces, { onProgress: 'loud' } as never), /`onProgress`/)
  await refuses(() => robustness(model, faces, { signal: {} } as never), /`signal`/)
  await refuses(() => robustness(model, faces, { faces: 5 } as object), /`faces`/)
  await refuses(() => robustness(model, faces, { split: 'tset' } as never), /did you mean `test`/)
  const empty: Dataset = { ...faces, open: async (name) => someOf(await faces.open(name), []) }
  await t.throwsAsync(() => robustness(model, empty), { code: 'ERR_DATASET_EMPTY' })
})
