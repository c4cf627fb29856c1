import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import sharp from 'sharp'
import { FerError, type Model, type Prediction, predict, type RawPixels } from '../lib/index.js'
import { outputFolder, smallModel, testPictures } from './trained.js'

let model: Model
let pictures: RawPixels[]

test.before(async () => {
  model = await smallModel()
  pictures = await testPictures()
})

const largestDifference = (a: Prediction, b: Prediction): number =>
  Math.max(
    ...Object.keys(a.probabilities).map((name) => Math.abs(a.probabilities[name]! - b.probabilities[name]!)),
  )

for (const [precision, tolerance] of [
  ['float32', 1e-5],
  ['bfloat16', 5e-3],
] as const) {
  test(`in ${precision} a face has one answer: alone, in any batch, in any order`, async (t) => {
    const alone = await Promise.all(pictures.map((picture) => predict(picture, { model, precision })))
    for (const batchSize of [1, 2, 5, 16, 42]) {
      const together = await predict(pictures, { model, precision, batchSize })
      for (const [i, answer] of together.entries()) {
        t.true(largestDifference(answer, alone[i]!) < tolerance, `batch ${batchSize}, face ${i}`)
      }
    }
    const backwards = await predict(pictures.toReversed(), { model, precision })
    for (const [i, answer] of backwards.toReversed().entries())
      t.true(largestDifference(answer, alone[i]!) < tolerance)
    const crowd = await predict([pictures[0]!, ...Array<RawPixels>(30).fill(pictures[9]!)], {
      model,
      precision,
    })
    t.true(largestDifference(crowd[0]!, alone[0]!) < tolerance)
  })
}

test('at any split over cores a face has one answer', async (t) => {
  const file = `${outputFolder()}.safetensors`
  await model.save(file)
  const here = await predict(pictures, { model, precision: 'float32' })
  const code = `
    const { predict, datasets } = await import(${JSON.stringify(new URL('../lib/index.ts', import.meta.url).href)})
    const { samples } = await datasets.synthetic({ count: 42, seed: 5 }).open('test')
    const pictures = await Promise.all(samples.map((sample) => sample.read()))
    console.log(JSON.stringify(await predict(pictures, { model: ${JSON.stringify(file)}, precision: 'float32' })))`
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', '--input-type=module', '--eval', code],
    { env },
  )
  for (const [i, there] of (JSON.parse(stdout) as Prediction[]).entries())
    t.true(largestDifference(there, here[i]!) < 1e-5)
})

test('views of one buffer are read where they lie: memory does not grow with them', async (t) => {
  const side = 224
  const whole = new Uint8Array(600 * side * side * 3).fill(100)
  const shape = [600, side, side, 3]
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 5)
  await predict({ dtype: 'uint8', shape, data: whole }, { model, batchSize: 16 })
  clearInterval(timer)
  t.true(peak - before < whole.length / 2, `${whole.length} bytes of pixels, ${peak - before} more in use`)
})

test('weights that are not numbers are an error, never an answer', async (t) => {
  const file = `${outputFolder()}.safetensors`
  await model.save(file)
  const bytes = await readFile(file)
  const length = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString())
  bytes.writeFloatLE(Number.NaN, 8 + length + header['fc.bias'].data_offsets[0])
  await writeFile(file, bytes)
  await t.throwsAsync(() => predict(pictures[0]!, { model: file }), { code: 'ERR_BAD_MODEL' })
})

test('with affinity batch, asked for by name, a face depends on its neighbours, as in the published code', async (t) => {
  const [alone] = await predict([pictures[0]!], { model, affinity: 'batch', precision: 'float32' })
  t.is(alone!.affinity, 'batch', 'the answer says so')
  const crowd = await predict([pictures[0]!, ...pictures.slice(20)], {
    model,
    affinity: 'batch',
    precision: 'float32',
  })
  t.true(largestDifference(crowd[0]!, alone!) > 1e-4)
  const split = await predict([pictures[0]!, ...pictures.slice(20)], {
    model,
    affinity: 'batch',
    batchSize: 1,
    precision: 'float32',
  })
  t.true(largestDifference(split[0]!, alone!) < 1e-5, 'groups are consecutive pictures, batchSize at a time')
})

test('a path, its bytes, its pixels and a tensor of them give the same answer', async (t) => {
  const { data, width, height, channels } = pictures[3]!
  const bytes = await sharp(data, { raw: { width, height, channels } }).png().toBuffer()
  const path = `${outputFolder()}.png`
  await sharp(bytes).toFile(path)
  const byPixels = await predict(pictures[3]!, { model })
  t.deepEqual(await predict(path, { model }), byPixels)
  t.deepEqual(await predict(bytes, { model }), byPixels)
  t.deepEqual(await predict(new Uint8Array(bytes), { model }), byPixels)
  const [byTensor] = await predict(
    { dtype: 'uint8', shape: [1, height, width, channels], data: new Uint8Array(data) },
    { model },
  )
  t.deepEqual(byTensor, byPixels)
})

test('probabilities add up to 1 over the classes, the label has the largest, logits come when asked for', async (t) => {
  const answer = await predict(pictures[1]!, { model, logits: true })
  const values = Object.values(answer.probabilities)
  t.deepEqual(Object.keys(answer.probabilities), [...model.info.classes])
  t.true(Math.abs(values.reduce((a, b) => a + b) - 1) < 1e-6)
  t.is(answer.confidence, Math.max(...values))
  t.is(answer.probabilities[answer.label], answer.confidence)
  t.is(answer.logits!.length, 7)
  t.is(model.info.classes[answer.logits!.indexOf(Math.max(...answer.logits!))], answer.label)
  t.false('logits' in (await predict(pictures[1]!, { model })))
})

test('a box is what cutting it out beforehand gives', async (t) => {
  const { data, width, height, channels } = pictures[2]!
  const box = { left: 11, top: 7, width: 61, height: 70 }
  const cut = await sharp(data, { raw: { width, height, channels } }).extract(box).raw().toBuffer()
  const expected = await predict(
    { data: cut, width: 61, height: 70, channels },
    { model, precision: 'float32' },
  )
  const options = { model, precision: 'float32' } as const
  t.true(largestDifference(await predict(pictures[2]!, { ...options, box }), expected) < 1e-6)
  t.true(largestDifference(await predict({ image: pictures[2]!, box }, options), expected) < 1e-6)
  const [first, second] = await predict([{ image: pictures[2]!, box }, pictures[2]!], options)
  t.true(largestDifference(first!, expected) < 1e-5)
  t.true(largestDifference(second!, await predict(pictures[2]!, options)) < 1e-5)
})

test('a box counts pixels of the upright picture', async (t) => {
  const { data, width, height, channels } = pictures[2]!
  // Orientation 6: the stored picture must be turned a quarter clockwise to stand upright.
  const lying = await sharp(data, { raw: { width, height, channels } })
    .rotate(270)
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer()
  const box = { left: 0, top: 10, width: 96, height: 40 }
  t.deepEqual(await predict(lying, { model, box }), await predict(pictures[2]!, { model, box }))
})

test('a box outside the picture, empty or not whole is an error that gives the size', async (t) => {
  for (const box of [
    { left: 90, top: 0, width: 10, height: 10 },
    { left: -1, top: 0, width: 10, height: 10 },
    { left: 0, top: 0, width: 0, height: 10 },
  ]) {
    const error = await t.throwsAsync(() => predict(pictures[0]!, { model, box }), { instanceOf: FerError })
    t.is(error!.code, 'ERR_BAD_BOX')
    t.regex(error!.message, /96 x 96/)
  }
  const error = await t.throwsAsync(() =>
    predict(pictures[0]!, { model, box: { left: 0.5, top: 0, width: 5, height: 5 } }),
  )
  t.regex(error!.message, /`box.left`/)
})

test('one bad picture among several rejects the call with its index, or stands in its place', async (t) => {
  const items = [pictures[0]!, new Uint8Array([1, 2, 3]), pictures[1]!]
  await t.throwsAsync(() => predict(items[1]!, { model, onError: 'return' }), { code: 'ERR_BAD_IMAGE' })
  const error = await t.throwsAsync(() => predict(items, { model }), { instanceOf: FerError })
  t.is(error!.code, 'ERR_BAD_IMAGE')
  t.regex(error!.message, /^Picture 1: /)
  const [first, second, third] = await predict(items, { model, onError: 'return' })
  t.true(second instanceof FerError && second.code === 'ERR_BAD_IMAGE')
  t.is((first as Prediction).label, (await predict(pictures[0]!, { model })).label)
  t.is((third as Prediction).label, (await predict(pictures[1]!, { model })).label)
})

test('wrong pixels and options are refused with the field and what was given', async (t) => {
  const refuses = async (input: unknown, options: unknown, pattern: RegExp) => {
    const error = await t.throwsAsync(() => predict(input as string, options as never), {
      instanceOf: FerError,
    })
    t.regex(error!.message, pattern)
  }
  await refuses({ ...pictures[0]!, width: 95 }, { model }, /27360 bytes \(width x height x channels\)/)
  await refuses({ ...pictures[0]!, channels: 4 }, { model }, /channels` to be 1 or 3 .*got `4`/)
  await refuses(undefined, { model }, /a path, encoded bytes/)
  const shared = new Uint8Array(new SharedArrayBuffer(pictures[0]!.data.length))
  await refuses({ ...pictures[0]!, data: shared }, { model }, /SharedArrayBuffer/)
  await refuses({ image: pictures[0], bx: {} }, { model }, /`bx` in picture 0: did you mean `box`/)
  await refuses(
    { ...pictures[0]!, box: { left: 0, top: 0, width: 5, hight: 5 } },
    { model },
    /did you mean `height`/,
  )
  await refuses(
    { dtype: 'uint8', shape: [1.5, 4, 4, 3], data: new Uint8Array(72) },
    { model },
    /four whole numbers/,
  )
  await refuses(pictures[0], { model: '' }, /`model` to be a Model/)
  await refuses(
    pictures[0],
    { model, batchSise: 3 },
    /Unknown field `batchSise` in options: did you mean `batchSize`\?/,
  )
  await refuses(pictures[0], { model, precision: 'bf16' }, /one of auto, float32, bfloat16/)
  await refuses(pictures[0], { model: 'nowhere.safetensors' }, /no model file/)
  await refuses('nowhere.jpg', { model }, /nowhere\.jpg/)
})

test('no pictures give no answers', async (t) => {
  t.deepEqual(await predict([], { model }), [])
})

test('an aborted call rejects with the reason given, before and during', async (t) => {
  const reason = new Error('enough')
  await t.throwsAsync(() => predict(pictures, { model, signal: AbortSignal.abort(reason) }), { is: reason })
  const controller = new AbortController()
  const call = predict(Array<RawPixels>(400).fill(pictures[0]!), {
    model,
    batchSize: 8,
    signal: controller.signal,
  })
  setTimeout(() => controller.abort(reason), 50)
  await t.throwsAsync(call, { is: reason })
  t.is((await predict(pictures, { model })).length, pictures.length, 'and the model still answers')
})

test('the event loop turns while faces are answered', async (t) => {
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  const started = performance.now()
  await predict(Array<RawPixels>(300).fill(pictures[0]!), { model, batchSize: 300, precision: 'float32' })
  clearInterval(timer)
  const possible = (performance.now() - started) / 5
  t.true(turns > possible / 4, `${turns} turns of ${possible} possible`)
})

const photograph = join('..', 'shared', 'data', 'photos', 'astronaut.png')
const testPhotograph = existsSync(photograph) ? test : test.skip

testPhotograph('a real photograph is answered by path, by bytes and with a box', async (t) => {
  const box = { left: 170, top: 60, width: 110, height: 130 }
  const byPath = await predict(photograph, { model, box })
  t.deepEqual(await predict(await readFile(photograph), { model, box }), byPath)
  t.not((await predict(photograph, { model })).confidence, byPath.confidence)
})
