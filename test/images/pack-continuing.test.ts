import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { FerError } from '../../lib/errors.js'
import { native } from '../../lib/native.js'
import { outputFolder } from '../trained.js'
import { begunPack, isWholePack, packInto, packingProcess, partialIn, stopped } from './pack-calls.js'
import { count } from './pack-faces.js'

/** Pictures in the blocks of 256 that are done when the first 600 are, and those yet to be read. */
const [recorded, rest] = [512, count - 512]

test('a process killed while it packs leaves no half pack, and the next reads only the rest', async (t) => {
  const folder = outputFolder()
  const { child, reached, ended } = packingProcess(folder, { hangsFrom: 600 }, 600)
  await reached
  child.kill('SIGKILL')
  await ended
  t.deepEqual(
    (await readdir(folder)).map((name) => name.split('.').slice(1).join('.')),
    ['safetensors.partial'],
  )
  const { error, reads, progress } = await packInto(folder)
  t.is(error, undefined)
  t.deepEqual(
    reads.toSorted((a, b) => a - b),
    Array.from({ length: rest }, (_, i) => recorded + i),
  )
  t.deepEqual([progress[0], progress[1], progress.at(-1)], [recorded, recorded + 1, count])
  t.true(await isWholePack(folder))
})

test('one that is aborted goes on likewise, as often as it is aborted', async (t) => {
  const folder = await begunPack(300)
  const again = await packInto(folder, { stopAt: 600 })
  t.is(again.error, stopped)
  t.is(again.progress[0], 256)
  const { error, reads } = await packInto(folder)
  t.is(error, undefined)
  t.is(reads.length, rest)
  t.true(await isWholePack(folder))
})

test('one stopped before the first block was done leaves nothing', async (t) => {
  t.deepEqual(await readdir(await begunPack(200)), [])
})

test('nothing is reported once a call was stopped, though pictures are still being written', async (t) => {
  const stop = new AbortController()
  let reported = 0
  const onProgress = () => {
    reported++
    stop.abort(stopped)
  }
  const { error } = await packInto(outputFolder(), {}, { onProgress, signal: stop.signal })
  t.is(error, stopped)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.is(reported, 1)
})

test('after an error of the caller it goes on; after a bad picture nothing is left, as its data set changes', async (t) => {
  const folder = outputFolder()
  const network = Object.assign(new Error('the server is gone'), { code: 'ECONNRESET' })
  t.is((await packInto(folder, { failure: { at: 699, error: network } })).error, network)
  t.is((await packInto(folder)).reads.length, rest)
  await rm(folder, { recursive: true })
  const bad = new FerError('ERR_BAD_IMAGE', 'Cannot read `face 699`')
  t.is((await packInto(folder, { failure: { at: 699, error: bad } })).error, bad)
  t.deepEqual(await readdir(folder), [])
})

test('the size of what was begun is gone on with: the square, once sizes were found to differ', async (t) => {
  const mixed = { side: 50, sides: { 1: 40 } }
  const folder = await begunPack(600, mixed)
  const { reads } = await packInto(folder, mixed)
  t.is(reads.length, rest)
  t.true(await isWholePack(folder, mixed))
})

test('where sizes are found to differ after it went on, it begins again with the square', async (t) => {
  const mixed = { side: 50, sides: { 699: 40 } }
  const folder = await begunPack(600, mixed)
  const { reads, error } = await packInto(folder, mixed)
  t.is(error, undefined)
  t.true(reads.length >= count + 1, 'at least picture 699, and then all')
  t.true(await isWholePack(folder, mixed))
})

test('where the own size is that of the square, what was done before sizes differed is kept', async (t) => {
  const mixed = { sides: { 699: 40 } }
  const folder = outputFolder()
  const { reads, progress } = await packInto(folder, mixed)
  t.true(reads.length < count + 1 + count, 'the first for its size, and some twice')
  t.is(progress.at(-1), count)
  t.true(await isWholePack(folder, mixed))
})

test('two at once in one process both succeed, and leave one pack', async (t) => {
  const folder = outputFolder()
  const calls = await Promise.all([packInto(folder, { delay: 1 }), packInto(folder, { delay: 1 })])
  t.deepEqual(
    calls.map(({ error }) => error),
    [undefined, undefined],
  )
  t.deepEqual(
    calls.map(({ reads }) => reads.length),
    [count + 1, count + 1],
    'the first also for its size',
  )
  t.true(await isWholePack(folder))
})

test('two processes at once both succeed, and leave one pack', async (t) => {
  const folder = outputFolder()
  const both = [1, 2].map(() => packingProcess(folder, { delay: 5 }))
  await Promise.all(both.map(({ reached }) => reached))
  t.deepEqual(await Promise.all(both.map(({ ended }) => ended)), [0, 0])
  t.true(await isWholePack(folder))
})

test('while another process holds what was begun, a second makes its own, and leaves the other alone', async (t) => {
  const folder = outputFolder()
  const { child, reached, ended } = packingProcess(folder, { hangsFrom: 600 }, 600)
  await reached
  const { error, reads } = await packInto(folder)
  child.kill('SIGKILL')
  await ended
  t.is(error, undefined)
  t.is(reads.length, count + 1)
  await rm(await partialIn(folder), { recursive: true })
  t.true(await isWholePack(folder))
})

/** What may become of a partial pack, and how many pictures are then read: all, and the first for its size, or fewer. */
const damages: readonly [what: string, reads: number, damage: (partial: string) => Promise<void>][] = [
  ['a file cut short', count + 1, async (partial) => truncate(join(partial, 'pack.safetensors'), 1_000_000)],
  ['an empty file', count + 1, async (partial) => truncate(join(partial, 'pack.safetensors'), 0)],
  ['a garbled header', count + 1, (partial) => garble(join(partial, 'pack.safetensors'), 0)],
  ['a garbled label', count, (partial) => garbleLabel(join(partial, 'pack.safetensors'))],
  ['no file', count + 1, (partial) => rm(join(partial, 'pack.safetensors'))],
  ['a folder for a file', count + 1, (partial) => replaceByFolder(join(partial, 'pack.safetensors'))],
  ['no record', count, (partial) => rm(join(partial, 'record'))],
  [
    'a record cut short within its second slot',
    count - 256,
    (partial) => truncate(join(partial, 'record'), 5000),
  ],
  ['a garbled seal', count - 256, (partial) => garble(join(partial, 'record'), 0)],
  ['a garbled digest', count - 256, (partial) => garble(join(partial, 'record'), 100)],
  ['a record of garbage', count, (partial) => writeFile(join(partial, 'record'), Buffer.alloc(99_999, 'ab'))],
]

async function garble(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at]! ^= 1
  await writeFile(path, bytes)
}

/** The last byte before the names, which begin with `face 0`. */
const garbleLabel = async (path: string) => garble(path, (await readFile(path)).indexOf('face 0') - 4)

async function replaceByFolder(path: string): Promise<void> {
  await rm(path)
  await mkdir(path)
}

for (const [what, expected, damage] of damages) {
  test(`a partial pack with ${what} is made anew where it is damaged`, async (t) => {
    const folder = await begunPack(600)
    await damage(await partialIn(folder))
    const { error, reads } = await packInto(folder)
    t.is(error, undefined)
    t.is(reads.length, expected)
    t.true(await isWholePack(folder))
  })
}

test('a partial pack of other labels is begun again', async (t) => {
  const folder = await begunPack(600, { label: 3 })
  t.is((await packInto(folder)).reads.length, count)
  t.true(await isWholePack(folder))
})

test('a file where the partial pack would be does not hinder', async (t) => {
  const folder = await begunPack(600)
  const partial = await partialIn(folder)
  await rm(partial, { recursive: true })
  await writeFile(partial, 'mine')
  t.is((await packInto(folder)).error, undefined)
  t.is(await readFile(partial, 'utf8'), 'mine')
})

test('what nobody went on with for 30 days, or nobody could go on with, is removed unless it is held', async (t) => {
  const folder = outputFolder()
  const made = async (name: string, days: number) => {
    const then = new Date(Date.now() - days * 24 * 3600 * 1000)
    await mkdir(join(folder, name), { recursive: true })
    await utimes(join(folder, name), then, then)
  }
  // Packs are named by 32 digits; all that is not named by us is left alone.
  const [old, recent, held] = ['1', '2', '3'].map((digit) => `${digit.repeat(32)}.safetensors`)
  const id = randomUUID()
  await made(`${old}.partial`, 31)
  await made(`${old}.${id}.tmp`, 2)
  await made(`${recent}.partial`, 29)
  await made(`${recent}.${id}.tmp`, 0)
  await made(`${held}.partial`, 31)
  await made('mine.partial', 99)
  await made('mine.tmp', 99)
  const release = native.lockFolder(join(folder, `${held}.partial`))!
  await packInto(folder)
  release()
  const left = (await readdir(folder)).filter((name) => !name.endsWith('.safetensors'))
  const kept = [`${recent}.${id}.tmp`, `${recent}.partial`, `${held}.partial`, 'mine.partial', 'mine.tmp']
  t.deepEqual(left.toSorted(), kept.toSorted())
})
