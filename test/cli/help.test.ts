import test from 'ava'
import { Command } from 'commander'
import { addCalibrate } from '../../lib/cli/calibrate.js'
import { addEvaluate } from '../../lib/cli/evaluate.js'
import { addQuantize } from '../../lib/cli/quantize.js'
import { addTrain } from '../../lib/cli/train.js'
import { readOptions } from '../../lib/options/check.js'
import { facesShape } from '../../lib/options/faces.js'
import { inferenceShape } from '../../lib/options/inference.js'
import { quantizeShape } from '../../lib/options/quantize.js'
import { readTrainOptions } from '../../lib/options/training.js'
import { commands, packageWithoutAddon, remove, run } from './run.js'

let bare: string
test.before(async () => {
  bare = await packageWithoutAddon()
})
test.after.always(() => remove(bare))

const tellsNoData = ['build']

for (const command of commands) {
  test(`help of ${command} names its flags and an example, without loading the addon`, async (t) => {
    const { stdout, stderr, code } = await run([command, '--help'], { root: bare })
    t.is(code, 0)
    t.is(stderr, '')
    t.regex(stdout, new RegExp(`^Usage: fer-torch ${command} `))
    if (!tellsNoData.includes(command)) t.regex(stdout, /--json/)
    t.regex(stdout, new RegExp(`Examples:\n  \\$ fer-torch ${command}`))
  })
}

test('help lists every command, and the exit codes', async (t) => {
  const { stdout, code } = await run(['--help'], { root: bare })
  t.is(code, 0)
  for (const command of commands) t.regex(stdout, new RegExp(`^  ${command} `, 'm'))
  t.regex(stdout, /Exit codes: 0, 1 .* 2 /)
})

test('--version is that of the package, without loading the addon', async (t) => {
  const { stdout, code } = await run(['--version'], { root: bare })
  t.is(code, 0)
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/)
})

/** What help says is filled in, where it is one value and no rule. */
function statedDefaults(add: (program: Command) => void): [string, string][] {
  const program = new Command()
  add(program)
  return program.commands[0]!.options.flatMap((option) => {
    const stated = /\(default: ([\w.]+)\)$/.exec(option.description)?.[1]
    return stated === undefined ? [] : [[option.attributeName(), stated] as [string, string]]
  })
}

test('every option of train has a flag', (t) => {
  const program = new Command()
  addTrain(program)
  const flags = new Set(program.commands[0]!.options.map((option) => option.attributeName()))
  const dataset = { name: '', splits: async () => [], open: () => Promise.reject() }
  const { warmupGiven, signal, onPack, ...settings } = readTrainOptions({ data: dataset, output: 'runs/x' })
  t.deepEqual(
    Object.keys(settings).filter((name) => !flags.has(name)),
    [],
  )
})

test('the defaults that help of train names are those of train', (t) => {
  const dataset = { name: '', splits: async () => [], open: () => Promise.reject() }
  const settings: Record<string, unknown> = { ...readTrainOptions({ data: dataset, output: 'runs/x' }) }
  // Those of the votes are of `datasets.withVotes`.
  const stated = statedDefaults(addTrain).filter(([name]) => !name.startsWith('votes'))
  for (const [name, value] of stated) t.is(value, String(settings[name]), name)
  t.is(stated.length, 32)
})

test('the defaults that help of evaluate names are those of evaluate', (t) => {
  const settings: Record<string, unknown> = { ...readOptions({}, inferenceShape), split: 'test' }
  const stated = statedDefaults(addEvaluate)
  for (const [name, value] of stated) t.is(value, String(settings[name]), name)
  t.deepEqual(stated.map(([name]) => name).sort(), ['batchSize', 'device', 'precision', 'split'])
})

test('the defaults that help of quantize and calibrate names are those of the calls', (t) => {
  // What save does unless told otherwise: see model.test.ts.
  const written = { dtype: 'float32' }
  const calls = [
    [addQuantize, { ...readOptions({}, quantizeShape), ...written }, ['dtype', 'faces', 'split']],
    [
      addCalibrate,
      { ...readOptions({}, { ...inferenceShape, ...facesShape('train') }), ...written },
      ['batchSize', 'dtype', 'precision', 'split'],
    ],
  ] as const
  for (const [add, settings, names] of calls) {
    const stated = statedDefaults(add)
    for (const [name, value] of stated) t.is(value, String((settings as Record<string, unknown>)[name]), name)
    t.deepEqual(stated.map(([name]) => name).sort(), [...names])
  }
})

test('training offers no int8, what answers does', (t) => {
  const precisions = (add: (program: Command) => void) => {
    const program = new Command()
    add(program)
    return program.commands[0]!.options.find((option) => option.long === '--precision')!.description
  }
  t.notRegex(precisions(addTrain), /int8/)
  t.regex(precisions(addEvaluate), /auto, float32, bfloat16, int8/)
})
