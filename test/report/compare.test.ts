import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { FerError, train } from '../../lib/index.js'
import { type Comparison, compareRuns } from '../../lib/report/compare/comparison.js'
import { labelsOf } from '../../lib/report/compare/labels.js'
import { renderComparison } from '../../lib/report/compare/page.js'
import { temporaryFolder } from '../temporary.js'
import { smallRun } from '../trained.js'
import { attribute, isSound, parsePage, tableOf, tagged, textOf, withClass } from './parsed-page.js'
import {
  type Fields,
  linesOf,
  type RunContent,
  someLine,
  someLog,
  someProvenance,
  writeEndedRun,
  writeRun,
} from './run-folders.js'

/** Runs made for one test, compared. */
async function compared(t: ExecutionContext, ...runs: readonly RunContent[]): Promise<Comparison> {
  const folder = await temporaryFolder(t)
  return compareRuns(await Promise.all(runs.map((run, i) => writeRun(join(folder, `run-${i}`), run))))
}

const ended = (log: readonly Fields[], provenance: Fields = someProvenance()): RunContent => ({
  log,
  summary: { seconds: 60 * log.length, provenance },
})

// What is read.

test('a run is told by its log and its summary', async (t) => {
  const { runs, differing, validatedAlike } = await compared(t, ended(someLog(0.5, 0.7, 0.6)))
  const [{ folder, label, begun, epochs, ...run }] = runs
  t.deepEqual(run, {
    ended: true,
    best: {
      epoch: 2,
      loss: 1,
      accuracy: 0.7,
      weights: 'trained',
      nll: 0.8,
      ece: 0.05,
      interval: [0.7 - 0.1, 0.7 + 0.1],
    },
    minutes: 3,
    imagesPerSecond: 100,
  } as unknown as typeof run)
  t.true(folder.endsWith(`${sep}run-0`))
  t.is(label, 'run-0')
  t.deepEqual(
    epochs.map(({ epoch, accuracy, loss }) => [epoch, accuracy, loss]),
    [
      [1, 0.5, 2],
      [2, 0.7, 1],
      [3, 0.6, 2 / 3],
    ],
  )
  t.is(begun.get('versions.libTorch'), '2.13.0')
  t.deepEqual([differing, validatedAlike], [[], true])
})

test('a real run is read as it ended', async (t) => {
  const options = { ...smallRun(), imageSize: 32, averaging: 0.5, seed: 11 }
  const { metrics, best, model } = await train(options)
  model.dispose()
  const { runs } = await compareRuns([options.output])
  t.like(runs[0], { folder: options.output, ended: true })
  t.is(runs[0].epochs.length, 1)
  t.like(runs[0].best, { epoch: best.epoch, accuracy: metrics.accuracy, nll: metrics.nll, ece: metrics.ece })
  t.deepEqual(runs[0].best!.interval, metrics.intervals.accuracy)
  t.deepEqual(
    ['seed', 'averaging', 'augmentation.flip', 'data', 'validationFaces'].map((name) =>
      runs[0].begun.get(name),
    ),
    [11, 0.5, 0.5, 'synthetic:42 seed 5', 42],
  )
  const { seconds } = JSON.parse(await readFile(join(options.output, 'metrics.json'), 'utf8'))
  t.is(runs[0].minutes, seconds / 60)
})

const measured = (accuracy: number, nll: number): Fields => ({ accuracy, nll })

const choices: readonly [string, readonly Fields[], Fields][] = [
  [
    'the highest accuracy',
    [{ validation: measured(0.5, 1) }, { validation: measured(0.6, 2) }],
    { epoch: 2 },
  ],
  [
    'of two alike, the more certain',
    [{ validation: measured(0.5, 2) }, { validation: measured(0.5, 1) }],
    { epoch: 2 },
  ],
  [
    'of two wholly alike, the earlier',
    [{ validation: measured(0.5, 1) }, { validation: measured(0.5, 1) }],
    { epoch: 1 },
  ],
  [
    'an average that is better',
    [{ validation: measured(0.5, 1), averaged: measured(0.6, 2) }],
    { weights: 'averaged', nll: 2 },
  ],
  [
    'no average that is worse',
    [{ validation: measured(0.6, 1), averaged: measured(0.5, 1) }],
    { weights: 'trained' },
  ],
  [
    'an average that is as good, but more certain',
    [{ validation: measured(0.5, 2), averaged: measured(0.5, 1) }],
    { weights: 'averaged' },
  ],
  [
    'no average that is only as good',
    [{ validation: measured(0.5, 1), averaged: measured(0.5, 1) }],
    { weights: 'trained' },
  ],
  ['an epoch that was measured', [{}, { validation: measured(0.1, 3) }, { validation: null }], { epoch: 2 }],
]

for (const [what, lines, expected] of choices) {
  test(`the best epoch is ${what}, as a run chooses it`, async (t) => {
    const log = lines.map((line, i) => ({ epoch: i + 1, ...line }))
    const { runs } = await compared(t, { log })
    t.like(runs[0].best, expected)
  })
}

test('where no epoch was measured, there is no best one', async (t) => {
  const { runs } = await compared(t, { log: [{ epoch: 1, loss: 2 }] })
  t.false('best' in runs[0])
})

test('an interval that is none is left out', async (t) => {
  const intervals = { accuracy: [0.1, 'high'] }
  const { runs } = await compared(t, { log: [{ epoch: 1, validation: { accuracy: 0.5, intervals } }] })
  t.false('interval' in runs[0].best!)
})

test('what a log does not say is absent, and an epoch without a number is counted', async (t) => {
  const { runs } = await compared(t, { log: [{}, { loss: 1 }, { epoch: 7, loss: 'low' }] })
  const [{ folder: _, label: __, begun, ...run }] = runs
  t.deepEqual(run, { ended: false, epochs: [{ epoch: 1 }, { epoch: 2, loss: 1 }, { epoch: 7 }] })
  t.is(begun.size, 0)
})

// Runs that go on.

test('a run that has not ended says so, and was begun with what its latest model says', async (t) => {
  const model = { provenance: someProvenance({ seed: 4 }) }
  const { runs } = await compared(t, { log: someLog(0.5, 0.6), model }, { log: someLog(0.5) })
  t.deepEqual(
    runs.map((run) => [run.ended, run.minutes, run.begun.get('seed'), run.best!.accuracy]),
    [
      [false, 2, 4, 0.6],
      [false, 1, undefined, 0.5],
    ],
  )
})

test('a run that goes on with more epochs has not ended, whatever its first end left', async (t) => {
  const log = someLog(0.5, 0.6, 0.7)
  const summary = { seconds: 120, provenance: someProvenance({ epochs: 2 }) }
  const model = { provenance: someProvenance({ epochs: 5 }) }
  const [goingOn] = (await compared(t, { log, summary, model })).runs
  t.deepEqual([goingOn.ended, goingOn.minutes, goingOn.begun.get('epochs')], [false, 3, 5])
  // Seconds added up in another order differ in their last digits.
  const rounded = (await compared(t, { log, summary: { ...summary, seconds: 180 - 1e-10 } })).runs[0]
  t.true(rounded.ended)
})

test('a last line that was cut is left out, one that only lacks its end is not', async (t) => {
  const text = linesOf(someLog(0.5, 0.6, 0.7))
  const [whole, cut, atTheEnd, blank] = (
    await compared(
      t,
      { log: text.trimEnd() },
      { log: text.slice(0, -20) },
      { log: `${linesOf(someLog(0.5, 0.6))}{"type":"epo` },
      { log: `\n${text}\n\n` },
    )
  ).runs
  t.is(whole.epochs.length, 3)
  t.is(cut.epochs.length, 2)
  t.is(atTheEnd.epochs.length, 2)
  t.is(blank.epochs.length, 3)
})

// What is no run.

const noRuns: readonly [string, RunContent, RegExp][] = [
  ['a folder without a log', { summary: {} }, /it has no log\.jsonl/],
  ['a log without an epoch', { log: '\n\n' }, /its log\.jsonl has no epoch yet/],
  ['a log that is only a beginning', { log: '{"type"' }, /its log\.jsonl has no epoch yet/],
  [
    'a log with a broken line',
    { log: `${linesOf(someLog(0.5))}{"type"\n${linesOf(someLog(0.5))}` },
    /line 2 of its log\.jsonl is not a JSON object/,
  ],
  ['a log of numbers', { log: '1\n2\n' }, /line 1 of its log\.jsonl is not a JSON object/],
  ['a broken summary', { log: someLog(0.5), summary: '{' }, /its metrics\.json is not a JSON object/],
  [
    'a summary that is a list',
    { log: someLog(0.5), summary: '[]' },
    /its metrics\.json is not a JSON object/,
  ],
]

async function isRefused(t: ExecutionContext, folder: string, why: RegExp): Promise<void> {
  const error = await t.throwsAsync(compareRuns([folder]), { instanceOf: FerError })
  t.is(error!.code, 'ERR_INVALID_OPTION')
  t.true(error!.message.includes(`\`${folder}\``))
  t.regex(error!.message, why)
  t.regex(error!.message, /Give a folder that was the `output` of train/)
}

for (const [what, content, why] of noRuns) {
  test(`${what} is refused by name`, async (t) => {
    await isRefused(t, await writeRun(join(await temporaryFolder(t), 'odd'), content), why)
  })
}

test('a folder that is not there, a file, and a log that is a folder are refused by name', async (t) => {
  const folder = await temporaryFolder(t)
  await isRefused(t, join(folder, 'nowhere'), /it has no log\.jsonl/)
  await writeFile(join(folder, 'file'), '')
  await isRefused(t, join(folder, 'file'), /it has no log\.jsonl/)
  await mkdir(join(folder, 'run', 'log.jsonl'), { recursive: true })
  await isRefused(t, join(folder, 'run'), /EISDIR/)
})

test('a summary of any shape is read for what it has', async (t) => {
  // As deep as JSON.parse reads, but JSON.stringify does not write.
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const list = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const odd: readonly (Fields | string)[] = [
    { provenance: 'text' },
    { provenance: [1] },
    { provenance: 7 },
    { provenance: { options: 'text', data: ['a', { toString: 1 }], versions: [[]] } },
    `{ "provenance": { "options": ${deep}, "data": ${list} } }`,
    '{ "provenance": { "options": { "__proto__": 1, "constructor": 2 } }, "seconds": "long" }',
  ]
  const comparison = await compared(t, ...odd.map((summary) => ({ log: someLog(0.5), summary })))
  isSound(t, renderComparison(comparison))
  t.notThrows(() => JSON.stringify(comparison.runs.map(({ begun }) => [...begun])))
  t.deepEqual(
    comparison.runs.map(({ begun }) => [...begun.keys()].join()),
    ['', '', '', 'data,versions', 'a.a.a.a,data', '__proto__,constructor'],
  )
})

// What differs.

test('what the runs were begun with is listed where it differs', async (t) => {
  const first = someProvenance({
    seed: 0,
    mixup: 0,
    color: 'rgb',
    augmentation: { flip: 0.5, noise: 0.1 },
    list: [1, 2],
  })
  const second = someProvenance(
    // An older version knew neither mixup nor cutmix nor lists.
    { seed: 0, cutmix: 0, epochs: 5, color: 'rgb', augmentation: { flip: 0.5, noise: 0.1 + 1e-12 } },
    { versions: { ferTorch: '0.2.0', libTorch: '2.13.0', node: 'v20.20.2' } },
  )
  const { differing } = await compared(t, ended(someLog(0.5), first), ended(someLog(0.5), second), {
    log: someLog(0.5),
  })
  t.deepEqual(differing.toSorted(), ['augmentation.noise', 'epochs', 'list', 'versions.ferTorch'])
})

const heldOut = { validatedOn: 'a held-out tenth of the training faces' }

const validations: readonly [string, readonly Fields[], boolean][] = [
  ['one named split, by two seeds', [someProvenance({ seed: 0 }), someProvenance({ seed: 1 })], true],
  [
    'one named split, trained on other data',
    [someProvenance(), someProvenance({}, { data: 'folder:more' })],
    true,
  ],
  [
    'two named splits',
    [someProvenance(), someProvenance({}, { validatedOn: 'folder:b, validation split' })],
    false,
  ],
  ['other numbers of faces', [someProvenance(), someProvenance({}, { validationFaces: 99 })], false],
  [
    'a part held out by one seed',
    [someProvenance({ batchSize: 1 }, heldOut), someProvenance({ batchSize: 2 }, heldOut)],
    true,
  ],
  [
    'parts held out by two seeds',
    [someProvenance({ seed: 0 }, heldOut), someProvenance({ seed: 1 }, heldOut)],
    false,
  ],
  [
    'parts held out of two data sets',
    [someProvenance({}, heldOut), someProvenance({}, { ...heldOut, data: 'folder:b' })],
    false,
  ],
]

for (const [what, provenances, alike] of validations) {
  test(`runs validated on ${what} can ${alike ? '' : 'not '}be compared`, async (t) => {
    const comparison = await compared(t, ...provenances.map((provenance) => ended(someLog(0.5), provenance)))
    t.is(comparison.validatedAlike, alike)
    const page = isSound(t, renderComparison(comparison))
    t.is(withClass(page, 'warning').length, alike ? 0 : 1)
  })
}

// Labels.

test('runs are called by their folders without the parents that all have in common', (t) => {
  const labels = (...folders: readonly string[]) =>
    labelsOf(folders.map((folder) => folder.replaceAll('/', sep)))
  const path = (...names: readonly string[]) => names.join(sep)
  t.deepEqual(labels('runs/a', 'runs/b'), ['a', 'b'])
  t.deepEqual(labels('runs/a/', './runs/b', 'runs/x/../c'), ['a', 'b', 'c'])
  t.deepEqual(labels('/home/one/run', '/home/two/run'), [path('one', 'run'), path('two', 'run')])
  t.deepEqual(labels('runs/a', 'runs/a/again'), ['a', path('a', 'again')])
  t.deepEqual(labels('runs/a', 'runs/a'), ['a', 'a'])
  t.deepEqual(labels('runs/long/alone'), ['alone'])
  t.deepEqual(labels('.'), ['.'])
  t.deepEqual(labels('/'), [path('', '')])
})

// The page.

test('the page lays the runs side by side', async (t) => {
  const folder = await temporaryFolder(t)
  const runs = [
    await writeEndedRun(join(folder, 'a', 'run'), [0.5, 0.7], someProvenance({ seed: 1 })),
    await writeRun(join(folder, 'b', 'run'), {
      log: [someLine(1, 0.6)],
      model: { provenance: someProvenance({ seed: 2 }) },
    }),
  ]
  const page = isSound(t, renderComparison(await compareRuns(runs)))
  const [a, b] = [join('a', 'run'), join('b', 'run')]
  t.is(textOf(tagged(page, 'h1')[0]), '2 training runs')
  t.is(textOf(tagged(page, 'title')[0]), `Runs compared: ${a}, ${b}`)
  t.deepEqual(tagged(page, 'h2').map(textOf), ['Curves', 'Results', 'What differs'])
  t.deepEqual(tableOf(page, 'At the best epoch, and what it took'), [
    [
      ...['Run', 'Best validation accuracy', '95 % interval', 'Best epoch', 'Negative log-likelihood'],
      ...['Calibration error', 'Epochs trained', 'Time', 'Training images a second'],
    ],
    [a, '70.0 %', '60.0 to 80.0 %', '2', '0.800', '5.0 %', '2', '2.0 min', '100'],
    [b, '60.0 %', '50.0 to 70.0 %', '1', '0.900', '5.0 %', '1, not ended', '1.0 min', '100'],
  ])
  t.deepEqual(tableOf(page, 'Options, data and versions'), [
    ['Name', a, b],
    ['seed', '1', '2'],
  ])
  for (const chart of tagged(page, 'figure'))
    t.deepEqual(tagged(chart, 'li').map(textOf), [a, b], 'each chart has a key')
  t.regex(textOf(tagged(page, 'desc')[0]), /In the last epoch of each: a.run 70\.0 %; b.run 60\.0 %\./)
})

test('the page of one run alone, of many, and of runs that say little is sound', async (t) => {
  const alone = isSound(t, renderComparison(await compared(t, ended(someLog(0.5)))))
  t.is(textOf(tagged(alone, 'h1')[0]), '1 training run')
  t.deepEqual(tagged(alone, 'h2').map(textOf), ['Curves', 'Results'], 'nothing differs of one')
  const alike = isSound(t, renderComparison(await compared(t, ended(someLog(0.5)), ended(someLog(0.6)))))
  t.regex(textOf(tagged(alike, 'main')[0]), /What differs Nothing that the runs wrote down\.$/)
  const many = Array.from({ length: 12 }, (_, i) =>
    ended(someLog(...Array.from({ length: 300 }, (_, e) => (e + i) / 400)), someProvenance({ seed: i })),
  )
  const page = isSound(t, renderComparison(await compared(t, ...many)))
  const curves = withClass(page, 'curve').filter((curve) => attribute(curve, 'd') !== 'M1 6H27')
  t.is(curves.length, 3 * 12, 'a curve a run in each of three charts')
  const little = isSound(t, renderComparison(await compared(t, { log: [{}] }, { log: someLog(0.5) })))
  t.deepEqual(tableOf(little, 'At the best epoch, and what it took')[1], [
    'run-0',
    '–',
    '–',
    '–',
    '–',
    '–',
    '1, not ended',
    '–',
    '–',
  ])
})

test('names from folders and files are shown as they are, and nothing in them is obeyed', async (t) => {
  const folder = await temporaryFolder(t)
  const hostile = `"><script>alert(1)<&'`
  const turned = 'a\u202eb\u001b[31m'
  const path = await writeRun(
    join(folder, `x ${hostile.replaceAll('/', '')}`),
    ended(someLog(0.5), someProvenance({ [hostile]: hostile, [turned]: turned })),
  )
  const other = await writeRun(join(folder, turned), ended(someLog(0.5)))
  const page = isSound(t, renderComparison(await compareRuns([path, other])))
  t.deepEqual(tableOf(page, 'Options, data and versions'), [
    ['Name', `x ${hostile}`, 'a?b?[31m'],
    [hostile, hostile, '–'],
    ['a?b?[31m', 'a?b?[31m', '–'],
  ])
})

test('the page says of whom an average of the weights was best', async (t) => {
  const log = [someLine(1, 0.5, { averaged: { accuracy: 0.6, nll: 1 } })]
  const page = parsePage(renderComparison(await compared(t, ended(log))))
  t.is(tableOf(page, 'At the best epoch, and what it took')[1][3], '1, average')
})
