import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { commands, type Ended, remove, run, temporaryFolder } from './run.js'

let folder: string
test.before(async () => {
  folder = await temporaryFolder()
})
test.after.always(() => remove(folder))

/** One line on stderr that says `cure`, nothing on stdout, no stack. */
function isOneLine(t: ExecutionContext, ended: Ended, code: number, cure: RegExp): void {
  t.is(ended.stdout, '')
  t.regex(ended.stderr, /^fer-torch: [^\n]+\n$/)
  t.regex(ended.stderr, cure)
  t.notRegex(ended.stderr, /\n {4}at |node:internal/)
  t.is(ended.code, code)
}

const train = (...flags: string[]): string[] => {
  return ['train', '--data', 'synthetic:70', '--output', join(folder, 'never'), ...flags]
}

const usageErrors: readonly [string, () => readonly string[], RegExp][] = [
  ['a misspelled command', () => ['trian'], /unknown command 'trian' \(Did you mean train\?\)/],
  ['a misspelled flag', () => train('--epoch', '2'), /'--epoch' \(Did you mean --epochs\?\).*train --help/],
  ['a missing flag', () => ['train', '--output', 'runs/x'], /'--data <spec>' not specified/],
  ['a flag without its value', () => train('--epochs'), /'--epochs <n>' argument missing/],
  ['a missing picture', () => ['predict', '--model', 'x'], /missing required argument 'image'/],
  ['a missing model', () => ['inspect'], /missing required argument 'model'/],
  ['too many arguments', () => ['doctor', 'please'], /too many arguments/],
  ['an empty number', () => train('--epochs', ''), /`--epochs` to be a number, got an empty string/],
  ['a word for a number', () => train('--epochs', 'abc'), /`--epochs` to be a number, got `abc`/],
  ['a number in another notation', () => train('--epochs', '0x10'), /`--epochs` to be a number/],
  ['half an epoch', () => train('--epochs', '1.5'), /`--epochs` to be an integer from 1 .* got `1.5`/],
  ['a negative number', () => train('--epochs', '-3'), /`--epochs` to be an integer from 1 .* got `-3`/],
  ['no epoch', () => train('--epochs=0'), /`--epochs` to be an integer from 1/],
  ['a camelCase field', () => train('--batch-size', '0'), /`--batch-size` to be an integer from 1/],
  ['a rate beyond all', () => train('--learning-rate', '1e400'), /`--learning-rate` to be a number from 0/],
  ['a negative rate', () => train('--weight-decay=-1'), /`--weight-decay` to be a number from 0/],
  [
    'a misspelled choice',
    () => train('--head', 'amr'),
    /`--head` to be one of arm, gap \(did you mean `arm`\?\)/,
  ],
  [
    'flags at odds',
    () => train('--head', 'gap', '--affinity', 'ema'),
    /`--affinity` to be `none` with head `gap`/,
  ],
  ['no such kind of data', () => train('--data', 'csv:faces'), /--data csv:faces: .*folder:PATH/],
  [
    'a count that is none',
    () => train('--validation', 'synthetic:many'),
    /--validation synthetic:many: .*whole number/,
  ],
  ['an empty output', () => [...train(), '--output', ''], /`--output` to be a non-empty text/],
  [
    'a box of three',
    () => ['predict', '--model', 'x', '--box', '1,2,3', 'a.png'],
    /`--box` .*left,top,width,height/,
  ],
  [
    'a box of words',
    () => ['predict', '--model', 'x', '--box', 'a,b,c,d', 'a.png'],
    /`--box` to be a number/,
  ],
  ['a negative box', () => ['predict', '--model', 'x', '--box=-1,0,9,9', 'a.png'], /`--box`/],
  [
    'an export of what depends on the batch',
    () => ['export', '--model', 'x', '--output', 'y.onnx', '--affinity', 'batch'],
    /`--affinity` to be ema or none: /,
  ],
  [
    'training in int8',
    () => train('--precision', 'int8'),
    /`--precision` to be one of auto, float32, bfloat16, got `int8`/,
  ],
  [
    'a number of faces that is none',
    () => ['quantize', '--model', 'x', '--data', 'synthetic:7', '--output', 'y', '--faces', 'many'],
    /`--faces` to be a number/,
  ],
  [
    'quantize without data',
    () => ['quantize', '--model', 'x', '--output', 'y'],
    /'--data <spec>' not specified/,
  ],
  [
    'an unknown split',
    () => ['evaluate', '--model', 'x', '--data', 'folder:x', '--split', 'tset'],
    /mean `test`/,
  ],
]

for (const [what, args, cure] of usageErrors) {
  test(`${what} is a usage error in one line`, async (t) => {
    isOneLine(t, await run(args()), 2, cure)
    t.false(existsSync(join(folder, 'never')))
  })
}

test('no command at all is a usage error that shows help on stderr', async (t) => {
  const { stdout, stderr, code } = await run([])
  t.deepEqual([stdout, code], ['', 2])
  for (const command of commands) t.regex(stderr, new RegExp(`^  ${command} `, 'm'))
})

const failures: readonly [string, () => readonly string[], RegExp][] = [
  ['a model that is not there', () => ['inspect', 'no.safetensors'], /no model file .*no\.safetensors/],
  ['a file that is no model', () => ['inspect', 'package.json'], /`package\.json` is not a safetensors file/],
  ['a model that is a folder', () => ['predict', '--model', 'lib', 'a.png', '--json'], /lib` is not a file/],
  [
    'data that are not there',
    () => ['train', '--data', 'folder:no/such', '--output', join(folder, 'other')],
    /no\/such.* does not exist/,
  ],
]

for (const [what, args, cure] of failures) {
  test(`${what} is a failure in one line`, async (t) => {
    isOneLine(t, await run(args()), 1, cure)
  })
}

test('FER_TORCH_DEBUG shows the stack', async (t) => {
  const { stderr, code } = await run(['inspect', 'no.safetensors'], { env: { FER_TORCH_DEBUG: '1' } })
  t.is(code, 1)
  t.regex(stderr, /\n {4}at /)
  t.regex(stderr, /\nfer-torch: There is no model file/)
})
