import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Command } from 'commander'
import { addRobustness } from '../../lib/cli/robustness.js'
import type { Robustness } from '../../lib/index.js'
import { readOptions } from '../../lib/options/check.js'
import { robustnessShape } from '../../lib/options/robustness.js'
import { isSound, tagged, textOf, withClass } from '../report/parsed-page.js'
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

test('robustness --json prints the result, and its progress on stderr in plain lines; --output writes it as a page', async (t) => {
  const output = join(folder, 'page.html')
  const args = ['--model', model(), '--data', 'synthetic:70', '--limit', '7', '--seed', '3', '--json']
  const { stdout, stderr, code } = await cli('robustness', ...args, '--output', output)
  t.is(code, 0, stderr)
  const { split, faces, seed, clean, degradations } = JSON.parse(stdout) as Robustness
  t.deepEqual([split, faces, seed, clean.interval.length], ['validation', 7, 3, 2])
  t.true(degradations.length > 20)
  t.regex(stderr, /^degrading faces: \d+ of \d+$/m)
  const page = isSound(t, await readFile(output, 'utf8'))
  t.is(textOf(tagged(page, 'h1')[0]!), model())
  t.is(textOf(withClass(page, 'lead')[0]!).split(' of ')[0], `${(100 * clean.accuracy).toFixed(1)} %`)
  // A point a level, and in each chart one for the faces as they are.
  t.is(tagged(page, 'circle').length, degradations.length + tagged(page, 'figure').length)
  t.deepEqual((await readdir(folder)).sort(), ['cache', 'page.html', 'run'])
})

test('a page that cannot be written is known before any face is measured', async (t) => {
  const output = join(folder, 'missing', 'page.html')
  const { stdout, stderr, code } = await cli(
    'robustness',
    ...['--model', model(), '--data', 'synthetic:70', '--output', output],
  )
  t.deepEqual([stdout, code], ['', 1])
  t.regex(stderr, /^fer-torch: Cannot write `[^`]*missing\/page\.html`: ENOENT[^\n]*Choose a folder[^\n]*\n$/)
})

test('what was measured is printed also where the page then cannot be written', async (t) => {
  const args = ['--model', model(), '--data', 'synthetic:70', '--limit', '1', '--json', '--output', folder]
  const { stdout, stderr, code } = await cli('robustness', ...args)
  t.is(code, 1)
  t.is((JSON.parse(stdout) as Robustness).faces, 1)
  t.regex(stderr, /^fer-torch: Cannot write `[^\n]*\n$/m)
})

test('Ctrl-C ends it in order: no answer, no page, nothing left in the cache', async (t) => {
  const output = join(folder, 'stopped.html')
  const own = join(folder, 'stopped')
  const args = ['--model', model(), '--data', 'synthetic:70', '--output', output]
  let sent = false
  const { stdout, stderr, code } = await run(['robustness', ...args], {
    env: { FER_TORCH_CACHE: own },
    onStderr: (soFar, child) => {
      if (!sent && soFar.includes('degrading faces')) sent = child.kill('SIGINT')
    },
  })
  t.deepEqual([stdout, code], ['', 1])
  t.regex(stderr, /^fer-torch: stopped$/m)
  t.false(existsSync(output))
  t.deepEqual(await readdir(own), [])
  await remove(own)
})

test('robustness for people is a table, a row a degradation', async (t) => {
  const args = ['--model', model(), '--data', 'synthetic:70', '--limit', '7', '--split', 'test']
  const { stdout, code, stderr } = await cli('robustness', ...args)
  t.is(code, 0, stderr)
  t.regex(stdout, /^faces +7 \(test\)$/m)
  t.regex(stdout, /^accuracy +\d+\.\d %, \d+\.\d % to \d+\.\d %$/m)
  t.regex(stdout, /^degradation +level +changed +accuracy +95 % interval +drop in points$/m)
  t.regex(stdout, /^resolution +16 {2}pixels +7 +\d+\.\d % +\d+\.\d % to \d+\.\d % +-?\d+\.\d$/m)
  t.regex(stdout, /^tint +green +7 /m)
})

const refused = {
  'a limit that is none': [['--limit', '0'], /Expected `--limit` to be an integer from 1 to 1000000/],
  'a seed that is no number': [['--seed', 'many'], /Expected `--seed` to be a number/],
  'a split that is misspelled': [['--split', 'tset'], /Expected `--split` .*did you mean `test`/],
  'a page without a name': [['--output', ''], /Expected `--output` to be a non-empty text/],
} as const

for (const [what, [args, message]] of Object.entries(refused)) {
  test(`${what} is a usage error that names the flag`, async (t) => {
    const all = ['--model', model(), '--data', 'synthetic:70', ...args]
    const { stdout, stderr, code } = await cli('robustness', ...all)
    t.deepEqual([stdout, code], ['', 2])
    t.regex(stderr, /^fer-torch: [^\n]*\n$/)
    t.regex(stderr, message)
  })
}

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
