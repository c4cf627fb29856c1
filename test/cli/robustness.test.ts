import { join } from 'node:path'
import test from 'ava'
import { Command } from 'commander'
import { addRobustness } from '../../lib/cli/robustness.js'
import type { Robustness } from '../../lib/index.js'
import { readOptions } from '../../lib/options/check.js'
import { robustnessShape } from '../../lib/options/robustness.js'
import { type Ended, remove, run, temporaryFolder } from './run.js'

let folder: string
const model = (): string => join(folder, 'run', 'best.safetensors')
const cli = (...args: string[]): Promise<Ended> =>
  run(args, { env: { FER_TORCH_CACHE: join(folder, 'cache') } })

test.before(async () => {
  folder = await temporaryFolder()
  const small = ['--data', 'synthetic:70', '--image-size', '32', '--batch-size', '32', '--epochs', '1']
  const { code, stderr } = await cli('train', ...small, '--output', join(folder, 'run'))
  if (code !== 0) throw new Error(stderr)
})
test.after.always(() => remove(folder))

test('robustness --json prints the result, and its progress on stderr in plain lines', async (t) => {
  const args = ['--model', model(), '--data', 'synthetic:70', '--limit', '7', '--seed', '3', '--json']
  const { stdout, stderr, code } = await cli('robustness', ...args)
  t.is(code, 0, stderr)
  const { split, faces, seed, clean, degradations } = JSON.parse(stdout) as Robustness
  t.deepEqual([split, faces, seed, clean.interval.length], ['validation', 7, 3, 2])
  t.true(degradations.length > 20)
  t.regex(stderr, /^degrading faces: \d+ of \d+$/m)
})

test('robustness for people is a table, a row a degradation', async (t) => {
  const args = ['--model', model(), '--data', 'synthetic:70', '--limit', '7', '--split', 'test']
  const { stdout, code, stderr } = await cli('robustness', ...args)
  t.is(code, 0, stderr)
  t.regex(stdout, /^faces +7 \(test\)$/m)
  t.regex(stdout, /^accuracy +\d+\.\d %, \d+\.\d % to \d+\.\d %$/m)
  t.regex(stdout, /^degradation +level +faces +accuracy +95 % interval +drop$/m)
  t.regex(stdout, /^resolution +16 {2}pixels +7 +\d+\.\d % +\d+\.\d % to \d+\.\d % +-?\d+\.\d %$/m)
  t.regex(stdout, /^tint +green +7 /m)
})

test('a limit that is none is a usage error that names the flag', async (t) => {
  const { stdout, stderr, code } = await cli(
    'robustness',
    ...['--model', model(), '--data', 'synthetic:70', '--limit', '0'],
  )
  t.deepEqual([stdout, code], ['', 2])
  t.regex(stderr, /^fer-torch: Expected `--limit` to be an integer from 1 to 1000000[^\n]*\n$/)
})

test('the defaults that help of robustness names are those of the call', (t) => {
  const settings: Record<string, unknown> = { ...readOptions({}, robustnessShape) }
  const program = new Command()
  addRobustness(program)
  const stated = program.commands[0]!.options.flatMap((option) => {
    const value = /\(default: ([\w.]+)\)$/.exec(option.description)?.[1]
    return value === undefined ? [] : [[option.attributeName(), value] as const]
  })
  for (const [name, value] of stated) t.is(value, String(settings[name]), name)
  for (const name of ['split', 'limit', 'seed', 'batchSize', 'precision'])
    t.true(
      stated.some(([known]) => known === name),
      name,
    )
})
