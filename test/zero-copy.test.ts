import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { type Model, predict } from '../lib/index.js'
import { arm, backbone, resize, type Tensor } from '../lib/ops.js'
import { blocks, fresh, untrainedModel } from './hostile/fixtures.js'
import { type Entry, takeApart } from './safetensors-file.js'

// What is said of memory is measured in a process of its own, of which nothing else has set the peak.
const library = (name: string) => JSON.stringify(new URL(`../lib/${name}.ts`, import.meta.url).href)

const preamble = `
  const { Model, predict } = await import(${library('index')})
  const { resize } = await import(${library('ops')})
  const MB = 2 ** 20
  const { readFileSync } = await import('node:fs')
  /** The largest the process ever was; \`maxRSS\` would begin with what the parent is at the fork. */
  const peak = () => Number(/VmHWM:\\s*(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
  /** In MB: what V8 allocated for array buffers itself, and with it what others hand it. */
  const memory = () => {
    const { arrayBuffers, external } = process.memoryUsage()
    return { own: arrayBuffers / MB, all: external / MB, peak: peak() }
  }
  const growth = (after, before) => Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]))
  /** V8 counts what was freed only when it has swept: after a few rounds. */
  const collect = async () => {
    for (let i = 0; i < 8; i++) {
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }`

/** What the code prints, read as JSON. */
async function inChild<T>(code: string, env: Record<string, string> = {}): Promise<T> {
  const flags = ['--expose-gc', '--import=tsx', '--input-type=module', '--eval', preamble + code]
  // One thread: two that wait for each other take ten times as long where the processors are busy.
  const given = { ...process.env, OMP_NUM_THREADS: '1', ...env }
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env: given })
  return JSON.parse(stdout)
}

interface Memory {
  readonly own: number
  readonly all: number
  readonly peak: number
}

/** Stands in for a host, such as Electron, that forbids external buffers. */
const forbidden = { FER_TORCH_NO_EXTERNAL_BUFFERS: '1' }

let model: Model
let path: string
/** Of the cheapest network there is: 16 pixels, of which stem standard leaves one. */
let cheapest: string
test.before(async () => {
  model = await untrainedModel()
  await model.quantize(blocks())
  path = fresh('.safetensors')
  await model.save(path)
  cheapest = fresh('.safetensors')
  const small = { head: 'gap', affinity: 'none', stem: 'standard', imageSize: 16 } as const
  await (await untrainedModel(small)).save(cheapest)
})

test('7,000 views of 224 x 224 x 3 into one buffer are predicted where they lie', async (t) => {
  const { peak, answers, whole } = await inChild<{ peak: number; answers: number; whole: number }>(`
    const model = await Model.load(${JSON.stringify(cheapest)})
    const area = 224 * 224 * 3
    const buffer = new ArrayBuffer(7000 * area)
    new Uint8Array(buffer).fill(100)
    const view = (_, i) => ({ data: new Uint8Array(buffer, i * area, area), width: 224, height: 224, channels: 3 })
    const views = Array.from({ length: 7000 }, view)
    await predict(views.slice(0, 64), { model })
    const before = memory()
    const { length } = await predict(views, { model })
    console.log(JSON.stringify({ peak: memory().peak - before.peak, answers: length, whole: buffer.byteLength / MB }))`)
  t.is(answers, 7000)
  t.log(`${whole.toFixed(0)} MB of pixels, ${peak.toFixed(0)} MB more in use`)
  // A copy of all would be 1005 MB, one of a quarter what the limit is.
  t.true(peak < 256)
})

for (const [type, array, bytes] of [
  ['uint8', 'Uint8Array', 1],
  ['float32', 'Float32Array', 4],
] as const) {
  test(`pixels of type ${type} that a kernel reads are not copied`, async (t) => {
    const { peak } = await inChild<Memory>(`
      const side = 6144
      const data = new ${array}(side * side * 3).fill(7)
      const images = { dtype: '${type}', shape: [1, side, side, 3], data }
      await resize({ dtype: '${type}', shape: [1, 8, 8, 3], data: data.subarray(0, 192) }, 64)
      const before = memory()
      await resize(images, 64)
      console.log(JSON.stringify(growth(memory(), before)))`)
    t.true(peak < (6144 * 6144 * 3 * bytes) / 2 ** 20 / 2, `${peak} MB more in use`)
  })
}

/** 8192 x 8192 x 3 bytes are 192 MB. */
const largeResult = `
  const images = { dtype: 'uint8', shape: [1, 16, 16, 3], data: new Uint8Array(16 * 16 * 3).fill(9) }
  await resize(images, 64)
  await collect()
  const before = memory()
  let large = await resize(images, 8192)
  const with_ = growth(memory(), before)
  large = undefined
  await collect()
  console.log(JSON.stringify({ with: with_, without: growth(memory(), before) }))`

// The result is in memory once, and that once is memory which V8 did not allocate: that in which LibTorch computed.
test('a result is the memory that LibTorch computed it in: there is no second one, and V8 made none', async (t) => {
  const { with: held, without } = await inChild<Record<'with' | 'without', Memory>>(largeResult)
  t.true(held.all > 190 && held.all < 194, `${held.all} MB handed over`)
  t.true(held.own < 1, `${held.own} MB of V8's own`)
  t.true(held.peak > 180 && held.peak < 250, `${held.peak} MB at the peak, for a result of 192`)
  t.true(without.all < 1, `${without.all} MB are left when it is collected`)
})

test('where external buffers are forbidden a result is a copy, in memory that V8 made', async (t) => {
  const { with: held, without } = await inChild<Record<'with' | 'without', Memory>>(largeResult, forbidden)
  t.true(held.own > 190 && held.own < 194, `${held.own} MB of V8's own`)
  t.true(held.peak > 370, `${held.peak} MB at the peak, for a result of 192 and its copy`)
  t.true(without.own < 1 && without.all < 1, 'and is freed as well')
})

/** 4,000 faces by 512 numbers of 4 bytes are 7.8 MB. */
const largeFeatures = () => `
  const model = await Model.load(${JSON.stringify(cheapest)})
  const face = { data: new Uint8Array(16 * 16 * 3).fill(99), width: 16, height: 16, channels: 3 }
  const faces = Array(4000).fill(face)
  await model.features(face)
  await collect()
  const before = memory()
  let features = await model.features(faces)
  await collect()
  const held = growth(memory(), before)
  features = undefined
  await collect()
  console.log(JSON.stringify({ with: held, without: growth(memory(), before) }))`

test('features too are handed over and not copied, unless that is forbidden', async (t) => {
  const size = (4000 * 512 * 4) / 2 ** 20
  const shared = await inChild<Record<'with' | 'without', Memory>>(largeFeatures())
  t.true(Math.abs(shared.with.all - size) < 0.5, `${shared.with.all} MB handed over`)
  t.true(shared.with.own < 0.5 && shared.without.all < 0.5)
  const copied = await inChild<Record<'with' | 'without', Memory>>(largeFeatures(), forbidden)
  t.true(Math.abs(copied.with.own - size) < 0.5, `${copied.with.own} MB of V8's own`)
  t.true(copied.without.own < 0.5)
})

test('results that are dropped are freed as fast as they come', async (t) => {
  // 60 of 48 MB each: 2.8 GB if they stayed. V8 knows their size, and collects without being told to.
  const { peak } = await inChild<Memory>(`
    const images = { dtype: 'uint8', shape: [1, 16, 16, 3], data: new Uint8Array(16 * 16 * 3) }
    await resize(images, 4096)
    const before = memory()
    for (let i = 0; i < 60; i++) await resize(images, 4096)
    console.log(JSON.stringify(growth(memory(), before)))`)
  t.log(`${peak.toFixed(0)} MB more at the peak`)
  t.true(peak < 1000)
})

test('with external buffers and without them every call gives the same numbers, to the bit', async (t) => {
  const code = `
    const model = await Model.load(${JSON.stringify(path)})
    const ramp = (count, factor) => Uint8Array.from({ length: count }, (_, i) => (i * factor) % 256)
    const face = (factor) => ({ data: ramp(40 * 40 * 3, factor), width: 40, height: 40, channels: 3 })
    const faces = [face(7), face(11), face(13)]
    const pixels = { dtype: 'uint8', shape: [2, 9, 7, 3], data: ramp(2 * 9 * 7 * 3, 5) }
    const numbers = { dtype: 'float32', shape: [1, 9, 7, 3], data: Float32Array.from(ramp(9 * 7 * 3, 3)) }
    const results = { empty: await predict([], { model }) }
    for (const precision of ['float32', 'bfloat16', 'int8']) {
      results[precision] = [
        await predict(faces, { model, precision, logits: true }),
        [...(await model.features(faces, { precision }))],
        [...(await model.features([], { precision }))],
      ]
    }
    for (const [name, images] of Object.entries({ pixels, numbers }))
      results[name] = await Promise.all(
        [[9, 7], [4, 20], [1, 1]].map(async (size) => {
          const { shape, data } = await resize(images, size)
          return { shape, data: [...data], offset: data.byteOffset, bytes: data.buffer.byteLength }
        }),
      )
    console.log(JSON.stringify(results))`
  const [shared, copied] = await Promise.all([inChild<object>(code), inChild<object>(code, forbidden)])
  t.deepEqual(copied, shared)
  t.true(JSON.stringify(shared).length > 5000)
})

const ramp = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => (i * 7) % 256)

/** One way to each result that is an array, on its input, and what that input is. */
const floats = (shape: number[], level = 1): Tensor<'float32'> => {
  const count = shape.reduce((product, side) => product * side, 1)
  return {
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: count }, (_, i) => level + (i % 5) / 8),
  }
}
const armWeights = {
  kernel: floats([32, 32]),
  normWeight: floats([2]),
  normBias: floats([2]),
  normMean: floats([2]),
  normVariance: floats([2]),
}
const picture = (data: Uint8Array) => ({ data, width: 32, height: 32, channels: 3 }) as const

/** A way to a result that is an array. */
interface Way {
  readonly input: () => Uint8Array | Float32Array
  readonly call: (input: never) => Promise<ArrayLike<number>>
}
const ways: Readonly<Record<string, Way>> = {
  'features of a picture of another size': {
    input: () => ramp(40 * 40 * 3),
    call: (data: Uint8Array) => model.features({ data, width: 40, height: 40, channels: 3 }),
  },
  'features of a picture of the very size': {
    input: () => ramp(32 * 32 * 3),
    call: (data: Uint8Array) => model.features(picture(data)),
  },
  'features in int8': {
    input: () => ramp(32 * 32 * 3),
    call: (data: Uint8Array) => model.features([picture(data), picture(data)], { precision: 'int8' }),
  },
  'resize to the same size': {
    input: () => ramp(8 * 8 * 3),
    call: async (data: Uint8Array) => (await resize({ dtype: 'uint8', shape: [1, 8, 8, 3], data }, 8)).data,
  },
  'resize to another size': {
    input: () => ramp(8 * 8 * 3),
    call: async (data: Uint8Array) => (await resize({ dtype: 'uint8', shape: [1, 8, 8, 3], data }, 5)).data,
  },
  'resize of numbers to the same size': {
    input: () => Float32Array.from(ramp(8 * 8)),
    call: async (data: Float32Array) =>
      (await resize({ dtype: 'float32', shape: [1, 8, 8, 1], data }, 8)).data,
  },
  arm: {
    input: () => floats([1, 3, 3, 512]).data,
    call: async (data: Float32Array) =>
      (await arm({ dtype: 'float32', shape: [1, 3, 3, 512], data }, armWeights)).data as Float32Array,
  },
}

for (const [name, { input, call }] of Object.entries(ways)) {
  const run = call as (input: Uint8Array | Float32Array) => Promise<Uint8Array | Float32Array>

  test(`${name}: what the caller writes into the result changes no later answer, nor the input`, async (t) => {
    const given = input()
    const first = await run(given)
    const expected = [...first]
    first.fill(99)
    t.deepEqual([...(await run(given))], expected)
    t.deepEqual(given, input())
    t.true(first.every((value) => value === 99))
  })

  test(`${name}: what the caller writes into the input once the call has settled changes nothing`, async (t) => {
    const given = input()
    const first = await run(given)
    const expected = [...first]
    given.fill(0)
    await run(given)
    t.deepEqual([...first], expected)
    t.deepEqual([...(await run(input()))], expected)
  })

  test(`${name}: two results share no memory, and each is all of its own`, async (t) => {
    const given = input()
    const [first, second] = await Promise.all([run(given), run(given)])
    t.deepEqual(first, second)
    t.not(first.buffer, second.buffer)
    t.deepEqual([first.byteOffset, first.buffer.byteLength], [0, first.byteLength])
    first.fill(99)
    t.notDeepEqual(first, second)
  })
}

test('the numbers of a prediction are its own, whatever becomes of the pixels', async (t) => {
  const pixels = ramp(32 * 32 * 3)
  const answer = await predict(picture(pixels), { model, logits: true })
  const kept = structuredClone(answer)
  pixels.fill(0)
  t.notDeepEqual(await predict(picture(pixels), { model, logits: true }), kept)
  t.deepEqual(answer, kept)
  t.deepEqual(await predict(picture(ramp(32 * 32 * 3)), { model, logits: true }), kept)
})

/** Tensors of the backbone, each in an array of its own. */
async function backboneWeights(): Promise<Record<string, Tensor>> {
  const { header, data } = await takeApart(path)
  const { __metadata__: _, ...entries } = header
  const weights = Object.entries<Entry>(entries as Record<string, Entry>)
    .filter(([name]) => !/^(arm|fc)\./.test(name))
    .map(([name, { dtype, shape, data_offsets: place }]): [string, Tensor] => {
      const { buffer } = Uint8Array.from(data.subarray(...place))
      return [
        name,
        dtype === 'I64'
          ? { dtype: 'int64', shape, data: new BigInt64Array(buffer) }
          : { dtype: 'float32', shape, data: new Float32Array(buffer) },
      ]
    })
  return Object.fromEntries(weights)
}

test('a backbone keeps its weights whatever becomes of the arrays that they were given in', async (t) => {
  const weights = await backboneWeights()
  const network = backbone('resnet18', weights, { stem: 'small' })
  const images = floats([1, 32, 32, 3])
  const first = (await network.forward(images)).data as Float32Array
  const expected = [...first]
  for (const { data } of [...Object.values(weights), { data: first }]) {
    if (data instanceof Float32Array) data.fill(0)
  }
  t.true(expected.some((value) => value > 0))
  t.deepEqual([...((await network.forward(images)).data as Float32Array)], expected)
})

test('a result can be handed on: cloned, and read by the next call where it lies', async (t) => {
  const images = { dtype: 'uint8', shape: [1, 8, 8, 3], data: ramp(8 * 8 * 3) } as const
  const larger = await resize(images, 64)
  const clone = structuredClone(larger.data)
  t.deepEqual(clone, larger.data)
  const again = await resize(larger, 16)
  t.deepEqual(again.data, (await resize({ ...larger, data: clone }, 16)).data)
  const answer = await predict(larger, { model })
  t.deepEqual(await predict({ ...larger, data: clone }, { model }), answer)
})

test('a result outlives its tensor, its model and the collection of both', async (t) => {
  const { before, after } = await inChild<{ before: number[]; after: number[] }>(`
    const load = async () => {
      const model = await Model.load(${JSON.stringify(path)})
      const data = new Uint8Array(32 * 32 * 3).fill(77)
      const { buffer } = await model.features({ data, width: 32, height: 32, channels: 3 })
      model.dispose()
      return buffer
    }
    const buffers = []
    for (let i = 0; i < 5; i++) buffers.push(await load())
    const read = () => buffers.flatMap((buffer) => [...new Float32Array(buffer)])
    const before = read()
    await collect()
    // What was freed by mistake would be given to these.
    const images = { dtype: 'uint8', shape: [1, 1, 1, 1], data: new Uint8Array(1).fill(255) }
    for (let i = 0; i < 200; i++) await resize(images, [1, 4 * before.length / 5])
    console.log(JSON.stringify({ before, after: read() }))`)
  t.deepEqual(after, before)
  t.is(before.length, 5 * 25, 'h = 4, s = 5')
})
