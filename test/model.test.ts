import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { evaluate, FerError, Model, predict, type RawPixels } from '../lib/index.js'
import { faces, outputFolder, smallModel, testPictures } from './trained.js'

let model: Model
let pictures: RawPixels[]

test.before(async () => {
  model = await smallModel()
  pictures = (await testPictures()).slice(0, 8)
})

const path = (): string => `${outputFolder()}.safetensors`

test('a saved model answers exactly as before, and says what it is', async (t) => {
  const file = path()
  await model.save(file)
  const loaded = await Model.load(file)
  t.deepEqual(loaded.info, model.info)
  t.deepEqual(await predict(pictures, { model: loaded }), await predict(pictures, { model }))
  t.deepEqual(await predict(pictures, { model: file }), await predict(pictures, { model }))
})

test('bfloat16 halves the file and nearly keeps the answers', async (t) => {
  const [whole, half] = [path(), path()]
  await model.save(whole)
  await model.save(half, { dtype: 'bfloat16' })
  const ratio = (await stat(half)).size / (await stat(whole)).size
  t.true(ratio > 0.49 && ratio < 0.51, `${ratio}`)
  const answers = await predict(pictures, { model, precision: 'float32' })
  const again = await predict(pictures, { model: half, precision: 'float32' })
  for (const [i, answer] of answers.entries()) {
    for (const [name, value] of Object.entries(answer.probabilities))
      t.true(Math.abs(value - again[i]!.probabilities[name]!) < 0.02)
  }
})

test('the file is one that any safetensors reader reads: length, JSON, tensors without gaps', async (t) => {
  const file = path()
  await model.save(file)
  const bytes = await readFile(file)
  const length = Number(bytes.readBigUInt64LE())
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length).toString())
  t.is(JSON.parse(metadata.model).imageSize, 48)
  t.deepEqual(tensors['conv1.weight'].shape, [64, 3, 3, 3])
  t.is(tensors['arm.generic'].dtype, 'F32')
  let end = 0
  for (const { data_offsets: place } of Object.values<{ data_offsets: [number, number] }>(tensors)) {
    t.is(place[0], end)
    end = place[1]
  }
  t.is(8 + length + end, bytes.length)
})

test('features are what the classifier reads, s squared a face, in memory of their own', async (t) => {
  const features = await model.features(pictures, { precision: 'float32' })
  t.is(features.length, 8 * 81, 'stem small at 48 pixels: h = 6, s = 9')
  t.is(features.byteOffset, 0)
  t.is(features.buffer.byteLength, 8 * 81 * 4)
  const alone = await model.features(pictures[5]!, { precision: 'float32' })
  for (const [i, value] of alone.entries()) t.true(Math.abs(value - features[5 * 81 + i]!) < 1e-3)
})

test('features outlive the model they came from', async (t) => {
  const other = await smallModel()
  const features = await other.features(pictures[0]!)
  const before = [...features]
  other.dispose()
  globalThis.gc?.()
  t.deepEqual([...features], before)
})

test('a disposed model refuses by name; a call in flight ends normally', async (t) => {
  const file = path()
  await model.save(file)
  const other = await Model.load(file)
  const call = predict(pictures, { model: other, batchSize: 3 })
  await new Promise((resolve) => setTimeout(resolve, 5))
  other.dispose()
  other.dispose()
  t.is((await call).length, pictures.length)
  for (const use of [
    () => predict(pictures, { model: other }),
    () => other.features(pictures[0]!),
    () => other.save(path()),
    () => evaluate(other, faces),
  ]) {
    const error = await t.throwsAsync(use, { instanceOf: FerError })
    t.is(error!.code, 'ERR_DISPOSED')
  }
  const again = await Model.load(file)
  await again[Symbol.asyncDispose]()
  await t.throwsAsync(() => predict(pictures, { model: again }), { code: 'ERR_DISPOSED' })
})

test('damaged and foreign files are refused with the file named', async (t) => {
  const file = path()
  await model.save(file)
  const whole = await readFile(file)
  const refuses = async (bytes: Uint8Array, pattern: RegExp) => {
    const damaged = path()
    await writeFile(damaged, bytes)
    const error = await t.throwsAsync(() => Model.load(damaged), { instanceOf: FerError })
    t.is(error!.code, 'ERR_BAD_MODEL')
    t.true(error!.message.includes(damaged))
    t.regex(error!.message, pattern)
  }
  await refuses(whole.subarray(0, whole.length - 1000), /truncated/)
  await refuses(whole.subarray(0, 100), /header/)
  await refuses(new Uint8Array(), /header/)
  await refuses(Buffer.from('this is no model'), /header/)
  const foreign = Buffer.from('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(foreign.length))
  await refuses(Buffer.concat([length, foreign, Buffer.alloc(4)]), /not a model of this package/)
  const error = await t.throwsAsync(() => Model.load(join('no', 'such', 'model')), { instanceOf: FerError })
  t.is(error!.code, 'ERR_MODEL_NOT_FOUND')
})

test('a file that was cut short on disk is refused', async (t) => {
  const file = path()
  await model.save(file)
  await truncate(file, 5000)
  await t.throwsAsync(() => Model.load(file), { code: 'ERR_BAD_MODEL' })
})

test('a model that cannot be written says why and leaves no temporary behind', async (t) => {
  const error = await t.throwsAsync(() => model.save(join(outputFolder(), 'missing', 'x.safetensors')), {
    instanceOf: FerError,
  })
  t.is(error!.code, 'ERR_OUTPUT')
})
