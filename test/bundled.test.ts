import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Model, predict } from '../lib/index.js'
import { bundledModel } from '../lib/model/bundled.js'
import { run } from './cli/run.js'

const face = fileURLToPath(new URL('../docs/face.jpg', import.meta.url))

test('predict without a model answers as the model that ships with the package', async (t) => {
  const options = { precision: 'float32' } as const
  const [answer, again, named] = await Promise.all([
    predict(face, options),
    predict([face, face], options),
    predict(face, { ...options, model: bundledModel }),
  ])
  t.deepEqual(answer, named)
  for (const { label, confidence } of again) {
    t.is(label, named.label)
    t.true(Math.abs(confidence - named.confidence) < 1e-5)
  }
  t.deepEqual(await predict(face, options), named)
  t.like(await predict(face), { label: named.label })
})

test("Model.load without a path gives a model of one's own, which may be disposed of", async (t) => {
  const model = await Model.load()
  const { label } = await predict(face, { model })
  model.dispose()
  await t.throwsAsync(predict(face, { model }), { code: 'ERR_DISPOSED' })
  t.is((await predict(face)).label, label)
})

test('what ships is small enough, calibrated, and names no machine it was trained on', async (t) => {
  t.true((await stat(bundledModel)).size <= 25e6)
  await using model = await Model.load()
  t.true(model.calibrated)
  t.is(model.info.affinity, 'ema')
  t.deepEqual(model.info.classes.toSorted(), [
    'anger',
    'disgust',
    'fear',
    'happiness',
    'neutral',
    'sadness',
    'surprise',
  ])
  t.is(typeof model.info.temperature, 'number')
  t.notRegex(JSON.stringify(model.info), /[:"]\/|\\\\/)
})

test('the command line uses it where no model is named', async (t) => {
  const [bare, named] = await Promise.all([
    run(['predict', '--json', face]),
    run(['predict', '--json', '--model', bundledModel, face]),
  ])
  t.is(bare.code, 0, bare.stderr)
  t.is(bare.stdout, named.stdout)
})

test('it has a card, which says what it must not be used for', async (t) => {
  const card = await readFile(join(bundledModel, '..', 'README.md'), 'utf8')
  t.regex(card, /expression, not emotion/)
  t.regex(card, /work.*school|school.*work/s)
})
