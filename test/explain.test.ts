import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { type Explanation, type Model, predict, type RawPixels } from '../lib/index.js'
import { run } from './cli/run.js'
import { outputFolder, smallModel, testPictures, withTemperature } from './trained.js'

let model: Model
let face: RawPixels

test.before(async () => {
  model = await smallModel()
  ;[face] = (await testPictures()) as [RawPixels]
})

const total = (map: Float32Array): number => map.reduce((sum, value) => sum + value, 0)

for (const temperature of [undefined, 2.5]) {
  test(`the evidence of all places and the bias add up to the logits of predict, temperature ${temperature}`, async (t) => {
    await using tempered = withTemperature(model, temperature)
    const answer = await predict(face, { model: tempered, precision: 'float32', logits: true })
    const explanation = await tempered.explain(face, { precision: 'float32' })
    t.is(explanation.label, answer.label)
    for (const [i, name] of tempered.info.classes.entries()) {
      const sum = total(explanation.evidence[name]!) + explanation.bias[name]!
      t.true(Math.abs(sum - answer.logits![i]!) < 1e-4, `${name}: ${sum}, ${answer.logits![i]}`)
      t.true(Math.abs(explanation.probabilities[name]! - answer.probabilities[name]!) < 1e-5)
    }
  })
}

test('each map has a value for every place, and Grad-CAM is not negative', async (t) => {
  const { rows, columns, gradCam, evidence, reach } = await model.explain(face)
  // 48 pixels, shrunk by 8 with stem small.
  t.deepEqual([rows, columns], [6, 6])
  for (const name of model.info.classes) {
    t.is(gradCam[name]!.length, 36)
    t.is(evidence[name]!.length, 36)
    t.true(gradCam[name]!.every((value) => value >= 0))
  }
  t.is(reach!.length, 36)
  t.true(Math.abs(total(reach!) / 36 - 1) < 1e-5)
})

test('a box explains what the picture cut to it explains', async (t) => {
  const box = { left: 5, top: 9, width: 30, height: 25 }
  const data = await sharp(face.data, { raw: face }).extract(box).raw().toBuffer()
  const cut = { data, width: 30, height: 25, channels: face.channels }
  const [boxed, own, alone] = await Promise.all([
    model.explain(face, { box }),
    model.explain({ image: face, box }),
    model.explain(cut),
  ])
  for (const other of [own, alone]) {
    t.deepEqual(boxed.evidence, other.evidence)
    t.true((await boxed.overlay()).equals(await other.overlay()))
  }
})

test('a mirrored face is not explained as the face is', async (t) => {
  const data = await sharp(face.data, { raw: face }).flop().raw().toBuffer()
  const [one, other] = await Promise.all([model.explain(face), model.explain({ ...face, data })])
  t.notDeepEqual(one.evidence, other.evidence)
})

test('changing pixels after the call changes no overlay', async (t) => {
  const own = { ...face, data: Uint8Array.from(face.data) }
  const explanation = await model.explain(own)
  const before = await explanation.overlay()
  own.data.fill(0)
  t.true(before.equals(await explanation.overlay()))
})

/** Mean of red minus blue over each place of the map, row-major. */
async function warmth(png: Buffer, { rows, columns }: Explanation): Promise<number[]> {
  const { data, info } = await sharp(png)
    .resize(columns, rows, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return Array.from(
    { length: rows * columns },
    (_, i) => data[i * info.channels]! - data[i * info.channels + 2]!,
  )
}

test('the overlay is orange where evidence is for the class and blue where it is against it', async (t) => {
  const explanation = await model.explain(face)
  const values = [...explanation.evidence[explanation.label]!]
  const warm = await warmth(await explanation.overlay({ map: 'evidence' }), explanation)
  const most = Math.max(...values.map(Math.abs))
  const clear = values
    .map((value, i) => ({ value, warm: warm[i]! }))
    .filter(({ value }) => Math.abs(value) > most / 2)
  t.true(clear.length > 0)
  for (const { value, warm } of clear) t.true(value > 0 ? warm > 20 : warm < -20, `${value}: ${warm}`)
})

test('the overlay keeps the shape of the face, and is as large as asked for', async (t) => {
  const explanation = await model.explain(face, { box: { left: 0, top: 0, width: 48, height: 24 } })
  const sizeOf = async (png: Promise<Buffer>) => {
    const { format, width, height } = await sharp(await png).metadata()
    return [format, width, height]
  }
  t.deepEqual(await sizeOf(explanation.overlay()), ['png', 256, 128])
  t.deepEqual(await sizeOf(explanation.overlay({ side: 100, map: 'reach' })), ['png', 100, 50])
})

test('what cannot be explained is refused by name', async (t) => {
  await t.throwsAsync(model.explain([face, face] as never), { code: 'ERR_INVALID_OPTION' })
  await t.throwsAsync(model.explain([] as never), { code: 'ERR_INVALID_OPTION' })
  await t.throwsAsync(model.explain(face, { affinity: 'batch' as never }), {
    code: 'ERR_INVALID_OPTION',
    message: /affinity/,
  })
  await t.throwsAsync(model.explain(face, { box: { left: face.width - 4, top: 0, width: 5, height: 4 } }), {
    code: 'ERR_BAD_BOX',
  })
  await t.throwsAsync(model.explain('nowhere.jpg'), { code: 'ERR_BAD_IMAGE' })
  const explanation = await model.explain(face)
  await t.throwsAsync(explanation.overlay({ class: 'joy' }), { code: 'ERR_INVALID_OPTION', message: /class/ })
  await t.throwsAsync(explanation.overlay({ side: 0 }), { code: 'ERR_INVALID_OPTION', message: /side/ })
  const reason = new Error('enough')
  await t.throwsAsync(model.explain(face, { signal: AbortSignal.abort(reason) }), { is: reason })
})

test('a model without ARM has no reach', async (t) => {
  await using plain = await smallModel({ head: 'gap' })
  const explanation = await plain.explain(face)
  t.is(explanation.reach, undefined)
  await t.throwsAsync(explanation.overlay({ map: 'reach' }), { code: 'ERR_INVALID_OPTION', message: /map/ })
})

test('fer-torch explain writes a PNG and says what speaks for each class', async (t) => {
  const [file, picture, png] = ['.safetensors', '.png', '-why.png'].map((end) => outputFolder() + end) as [
    string,
    string,
    string,
  ]
  await model.save(file)
  await sharp(face.data, { raw: face }).png().toFile(picture)
  const told = await run(['explain', '--model', file, picture, '--output', png, '--map', 'evidence'])
  t.is(told.code, 0, told.stderr)
  const { label, overlay } = await model.explain(picture)
  t.regex(told.stdout.split('\n')[1]!, new RegExp(`^${label} `))
  t.true((await readFile(png)).equals(await overlay({ map: 'evidence' })))
  const { stdout } = await run(['explain', '--model', file, picture, '--json'])
  const read = JSON.parse(stdout)
  t.is(read.label, label)
  t.is(read.evidence[label].length, read.rows * read.columns)
  const refused = await run(['explain', '--model', file, picture, '--output', png, '--class', 'joy'])
  t.is(refused.code, 2)
  t.regex(refused.stderr, /`--class`/)
  const aimless = await run(['explain', '--model', file, picture, '--map', 'reach'])
  t.is(aimless.code, 2)
  t.regex(aimless.stderr, /`--output` to be given beside --map/)
  const alone = await run(['explain', '--model', file, picture, '--json', '--affinity', 'none'])
  t.notDeepEqual(JSON.parse(alone.stdout).bias, read.bias)
  const lost = await run(['explain', '--model', file, picture, '--output', join(picture, 'in-a-file.png')])
  t.is(lost.code, 1)
})
