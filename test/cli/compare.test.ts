import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isSound, tableOf } from '../report/parsed-page.js'
import { someLog, someProvenance, writeEndedRun, writeRun } from '../report/run-folders.js'
import { packageWithoutAddon, remove, run, temporaryFolder } from './run.js'

let folder: string
const inFolder = (...names: readonly string[]): string => join(folder, ...names)

test.before(async () => {
  folder = await temporaryFolder()
  await writeEndedRun(inFolder('first'), [0.5, 0.7], someProvenance({ seed: 1, mixup: 0 }))
  await writeEndedRun(inFolder('second'), [0.6], someProvenance({ seed: 2, mixup: 0.4 }))
})
test.after.always(() => remove(folder))

const rowsOf = (stdout: string): string[][] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/))

test('compare for people is a table: a column a run, what differs below the results', async (t) => {
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), inFolder('second')])
  t.deepEqual([stderr, code], ['', 0])
  t.deepEqual(rowsOf(stdout), [
    ['first', 'second'],
    ['epochs', '2', '1'],
    ['best epoch', '2', '1'],
    ['validation accuracy', '70.0 %', '60.0 %'],
    ['95 % interval', '60.0 % to 80.0 %', '50.0 % to 70.0 %'],
    ['negative log-likelihood', '0.800', '0.900'],
    ['calibration error', '5.0 %', '5.0 %'],
    ['minutes', '2.0', '1.0'],
    ['images/s', '100', '100'],
    ['seed', '1', '2'],
    ['mixup', '0', '0.4'],
  ])
})

test('compare --json prints the same in numbers, with what differs by name', async (t) => {
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), inFolder('second'), '--json'])
  t.deepEqual([stderr, code], ['', 0])
  const { runs, ...rest } = JSON.parse(stdout)
  t.deepEqual(rest, { differing: ['seed', 'mixup'], validatedAlike: true })
  t.deepEqual(runs[0], {
    folder: inFolder('first'),
    ended: true,
    epochs: 2,
    best: {
      ...{ epoch: 2, loss: 1, accuracy: 0.7, weights: 'trained', nll: 0.8, ece: 0.05 },
      interval: [0.7 - 0.1, 0.7 + 0.1],
    },
    minutes: 2,
    imagesPerSecond: 100,
    begun: { seed: 1, mixup: 0 },
  })
  t.deepEqual(runs[1].begun, { seed: 2, mixup: 0.4 })
})

test('compare --output writes the page, and --json stays what it is', async (t) => {
  const page = inFolder('compare.html')
  const args = ['compare', inFolder('first'), inFolder('second'), '--output', page, '--json']
  const { stdout, stderr, code } = await run(args)
  t.deepEqual([stderr, code], ['', 0])
  t.is(JSON.parse(stdout).runs.length, 2)
  const results = tableOf(isSound(t, await readFile(page, 'utf8')), 'At the best epoch, and what it took')
  t.deepEqual(
    results.slice(1).map((row) => row.slice(0, 2)),
    [
      ['first', '70.0 %'],
      ['second', '60.0 %'],
    ],
  )
})

test('a page that cannot be written is a failure in one line that names it', async (t) => {
  const page = inFolder('nowhere', 'compare.html')
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), '--output', page])
  t.is(code, 1)
  t.regex(stderr, /^fer-torch: Cannot write `[^`]*nowhere[^\n]*\n$/)
  t.regex(stdout, /validation accuracy/, 'what was read is told all the same')
})

test('runs validated on different faces are compared with a warning on stderr', async (t) => {
  const other = someProvenance({}, { validatedOn: 'folder:b, validation split' })
  await writeEndedRun(inFolder('elsewhere'), [0.9], other)
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), inFolder('elsewhere'), '--json'])
  t.is(code, 0)
  t.regex(stderr, /^fer-torch: warning: these runs may have been validated on different faces[^\n]*\n$/)
  t.false(JSON.parse(stdout).validatedAlike)
})

test('a run that goes on, its last line cut, is compared by what it has', async (t) => {
  const log = someLog(0.5, 0.6, 0.7)
    .map((line) => JSON.stringify(line))
    .join('\n')
  await writeRun(inFolder('going-on'), { log: log.slice(0, -30) })
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), inFolder('going-on')])
  t.deepEqual([stderr, code], ['', 0])
  const rows = rowsOf(stdout)
  t.deepEqual(rows[1], ['epochs', '2', '2, not ended'])
  t.deepEqual(rows[3], ['validation accuracy', '70.0 %', '60.0 %'])
  t.is(rows.length, 9, 'nothing is known to differ')
})

test('two runs of folders of one name are told apart by their parents', async (t) => {
  await writeEndedRun(inFolder('a', 'run'), [0.5])
  await writeEndedRun(inFolder('b', 'run'), [0.6])
  const { stdout } = await run(['compare', inFolder('a', 'run'), inFolder('b', 'run')])
  t.deepEqual(rowsOf(stdout)[0], [join('a', 'run'), join('b', 'run')])
})

test('one run alone is told without what differs', async (t) => {
  const { stdout, stderr, code } = await run(['compare', inFolder('first')])
  t.deepEqual([stderr, code], ['', 0])
  t.deepEqual(
    rowsOf(stdout).map((row) => row.length),
    [1, ...Array<number>(8).fill(2)],
  )
})

test('what a folder or a file holds cannot steer a terminal', async (t) => {
  const steering = '\u001b[31m\u202e'
  await writeEndedRun(inFolder(`x${steering}`), [0.5], someProvenance({ [steering]: steering }))
  const { stdout } = await run(['compare', inFolder('first'), inFolder(`x${steering}`)])
  t.notRegex(stdout.replaceAll('\n', ''), /\p{C}/u)
  t.regex(stdout, /x\?\[31m\?/)
})

test('a folder that holds no run is a usage error in one line that names it', async (t) => {
  const { stdout, stderr, code } = await run(['compare', inFolder('first'), inFolder('no-run')])
  t.deepEqual([stdout, code], ['', 2])
  t.regex(stderr, /^fer-torch: Expected `RUN` to be the folder of a training run, got `[^`]*no-run`[^\n]*\n$/)
})

test('no run at all, and an empty name, are usage errors', async (t) => {
  const none = await run(['compare'])
  t.deepEqual([none.stdout, none.code], ['', 2])
  t.regex(none.stderr, /missing required argument 'run'/)
  const empty = await run(['compare', ''])
  t.deepEqual([empty.stdout, empty.code], ['', 2])
  t.regex(empty.stderr, /`RUN` to be a non-empty text/)
})

test('compare works where the addon does not', async (t) => {
  const root = await packageWithoutAddon()
  t.teardown(() => remove(root))
  const args = ['compare', inFolder('first'), inFolder('second'), '--output', inFolder('bare.html')]
  const { stdout, stderr, code } = await run(args, { root })
  t.deepEqual([stderr, code], ['', 0])
  t.regex(stdout, /^validation accuracy +70\.0 % +60\.0 %$/m)
})
