import test from 'ava'
import { evaluate, type Model } from '../lib/index.js'
import { run } from './cli/run.js'
import { outputFolder, smallModel } from './trained.js'
import { levels, spread } from './training/levels.js'

let model: Model
test.before(async () => {
  model = await smallModel()
})

const classes = ['happiness', 'sadness']

test('faces that occur among the training faces of the data excluded are not measured', async (t) => {
  // Levels 1 to 12 are trained on; 10 to 15 of each class are measured.
  const data = levels('both', classes, { train: spread(1, 6, 0, 1), validation: spread(10, 3, 0, 1) })
  const fresh = levels('fresh', classes, { validation: spread(13, 2, 1, 0).slice(0, 3) })
  const options = { split: 'validation', precision: 'float32' } as const
  const [all, some, alone] = await Promise.all([
    evaluate(model, data, options),
    evaluate(model, data, { ...options, excluding: data }),
    evaluate(model, fresh, options),
  ])
  t.false('excluded' in all)
  t.deepEqual([all.samples, some.samples, some.excluded, alone.samples], [6, 3, 3, 3])

  t.true(Math.abs(some.nll - alone.nll) < 1e-6, `${some.nll}, ${alone.nll}`)
  t.is(some.accuracy, alone.accuracy)
  t.not(some.nll, all.nll)
})

test('where every face is excluded, the call says so', async (t) => {
  const data = levels('same', classes, { train: spread(1, 3, 0, 1), validation: spread(1, 2, 0, 1) })
  await t.throwsAsync(evaluate(model, data, { split: 'validation', excluding: data }), {
    code: 'ERR_DATASET_EMPTY',
    message: /Every face of the validation split also occurs in the training faces of same/,
  })
})

test('what is no data set cannot be excluded', async (t) => {
  const data = levels('one', classes, { validation: spread(1, 2, 0, 1) })
  await t.throwsAsync(evaluate(model, data, { split: 'validation', excluding: 'one' as never }), {
    code: 'ERR_INVALID_OPTION',
    message: /excluding/,
  })
})

test('fer-torch evaluate --excluding says how many faces were left out', async (t) => {
  const file = `${outputFolder()}.safetensors`
  await model.save(file)
  const measured = ['evaluate', '--model', file, '--data', 'synthetic:42', '--excluding', 'synthetic:42']
  const told = await run(measured)
  t.is(told.code, 0, told.stderr)
  t.regex(told.stdout, /^faces +42 \(test, 0 left out\)$/m)
})
