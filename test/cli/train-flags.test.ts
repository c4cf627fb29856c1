import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { remove, run, temporaryFolder } from './run.js'

let folder: string
test.before(async () => {
  folder = await temporaryFolder()
  const rows = Array.from({ length: 35 }, (_, i) => `train/${i},${i % 7 ? '5,2' : '2,5'}`)
  await writeFile(join(folder, 'votes.csv'), ['file,happy,sad', ...rows].join('\n'))
  await writeFile(join(folder, 'others.csv'), 'file,happy,sad\nx.png,1,2\n')
})
test.after.always(() => remove(folder))

const path = (name: string) => join(folder, name)
const train = (...flags: string[]): string[] => [
  ...['train', '--data', 'synthetic:35', '--output', path('never')],
  ...flags,
]

const usageErrors: readonly [string, () => readonly string[], RegExp][] = [
  ['a misspelled second data set', () => train('--data', 'folder'), /--data folder: .*folder:PATH/],
  ['an empty second data set', () => train('--data', ''), /`--data` to be a non-empty text/],
  ['a use of votes without votes', () => train('--votes-use', 'soft'), /`--votes` to be given beside/],
  ['a share of votes without votes', () => train('--votes-share', '0'), /`--votes` to be given beside/],
  [
    'a share above 1',
    () => train('--votes', path('votes.csv'), '--votes-share', '1.5'),
    /`share` to be a number from 0 to 1/,
  ],
  [
    'an unknown use',
    () => train('--votes', 'x', '--votes-use', 'sfot'),
    /`--votes-use` .*did you mean `soft`/,
  ],
  ['votes without a name', () => train('--votes', ''), /`--votes` to be a non-empty text/],
  ['half an epoch of patience', () => train('--patience', '1.5'), /`--patience` to be an integer from 0/],
  ['negative patience', () => train('--patience=-1'), /`--patience` to be an integer from 0/],
  ['negative minutes', () => train('--max-minutes=-1'), /`--max-minutes` to be a number from 0/],
  ['endless minutes', () => train('--max-minutes', 'Infinity'), /`--max-minutes` to be a number/],
  [
    'an average that never learns',
    () => train('--averaging', '1'),
    /`--averaging` to be a number from 0 to 0\.9/,
  ],
  ['too much mixup', () => train('--mixup', '1.1'), /`--mixup` to be a number from 0 to 1/],
  ['another sampler', () => train('--sampler', 'random'), /`--sampler` to be one of shuffle, mrr, weighted/],
  [
    'another treatment of copies',
    () => train('--duplicates', 'drop'),
    /`--duplicates` to be one of remove, keep/,
  ],
  ['a misspelled amount', () => train('--augment', 'rotaton=3'), /did you mean `rotation`/],
  ['an amount without a number', () => train('--augment', 'rotation'), /`--augment rotation` to be a number/],
  [
    'an amount with two numbers',
    () => train('--augment', 'rotation=1=2'),
    /`--augment rotation` to be a number/,
  ],
  ['a number without its name', () => train('--augment', '=3'), /`--augment` to be a non-empty text/],
  ['no amount', () => train('--augment', ''), /`--augment` to be a non-empty text/],
  [
    'an amount out of range',
    () => train('--augment', 'rotation=200'),
    /`augmentation\.rotation` .* 0 to 180/,
  ],
  ['a name of Object.prototype', () => train('--augment', '__proto__=1'), /`augmentation\.__proto__`/],
  [
    'amounts of what is switched off',
    () => train('--augment', 'rotation=3', '--no-augmentation'),
    /`--augment` to be left out beside --no-augmentation/,
  ],
]

for (const [what, args, cure] of usageErrors) {
  test(`${what} is a usage error in one line`, async (t) => {
    const { stdout, stderr, code } = await run(args())
    t.is(stdout, '')
    t.regex(stderr, /^fer-torch: [^\n]+\n$/)
    t.regex(stderr, cure)
    t.is(code, 2)
    t.false(existsSync(path('never')))
  })
}

test('votes that are not there, or for other faces, are a failure in one line', async (t) => {
  for (const [file, cure] of [
    ['none.csv', /none\.csv`: it does not exist/],
    ['others.csv', /No row of .*others\.csv.* is for a face of the data, such as `train\/0`/],
  ] as const) {
    const { stderr, code } = await run(train('--votes', path(file)))
    t.regex(stderr, /^fer-torch: [^\n]+\n$/)
    t.regex(stderr, cure)
    t.is(code, 1)
  }
})

test('two data sets, votes, amounts and a limit of time come to the run, which says what it did', async (t) => {
  const output = path('run')
  const ended = await run([
    ...['train', '--data', 'synthetic:35', '--data', 'synthetic:35', '--validation', 'synthetic:14'],
    ...[
      '--output',
      output,
      '--image-size',
      '48',
      '--batch-size',
      '10',
      '--epochs',
      '9',
      '--max-minutes',
      '0.000001',
    ],
    ...[
      '--votes',
      path('votes.csv'),
      '--votes-share',
      '0.25',
      '--averaging',
      '0.5',
      '--augment',
      'flip=0, rotation=15',
    ],
    ...['--sampler', 'weighted', '--head', 'gap'],
  ])
  t.is(ended.code, 0, ended.stderr)
  // The second data set is the first once more: each of its faces is a copy.
  t.regex(ended.stderr, /35 faces to train on \(without 35 exact copies\), 14 to validate on/)
  t.regex(ended.stderr, /of the average \d/)
  t.regex(ended.stdout, /^Stopped, since the time is over\. The best model is of epoch 1, /)
  const { provenance } = JSON.parse(await readFile(join(output, 'metrics.json'), 'utf8'))
  t.like(provenance.options, { averaging: 0.5, sampler: 'weighted', epochs: 9 })
  t.like(provenance.options.augmentation, { flip: 0, rotation: 15, scale: 0.1 })
  t.is(provenance.data, [1, 2].map(() => `synthetic:35 with votes of ${path('votes.csv')}`).join('; '))
})
