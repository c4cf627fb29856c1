import { execFileSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { FerError } from '../../lib/errors.js'
import { outputFolder } from '../trained.js'
import { begunPack, isWholePack, packInto } from './pack-calls.js'
import { count } from './pack-faces.js'

// A pack of the 700 faces: 700 x 48 x 48 x 3 = 4,838,400 bytes of pixels, and 25 kB of the rest.

/** A disk in memory of so many bytes; of 0, one that does not say how large it is. */
function smallDisk(size: number): string {
  const folder = outputFolder()
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'fer-torch-test', folder], { stdio: 'ignore' })
  return folder
}

// Lazily: what was packed may still be mapped.
const unmount = (folder: string) => execFileSync('umount', ['--lazy', folder])

function canMount(): boolean {
  try {
    unmount(smallDisk(1_000_000))
    return true
  } catch {
    return false
  }
}

/** Skipped, and listed as such, where this user may not mount a disk. */
const testOnDisk = canMount() ? test : test.skip

function disk(t: ExecutionContext<unknown>, size: number): string {
  const folder = smallDisk(size)
  t.teardown(() => unmount(folder))
  return folder
}

/** Takes all but so many bytes of a disk. */
function occupy(folder: string, left: number): string {
  const { bavail, bsize } = statfsSync(folder)
  const file = join(folder, 'others')
  writeFileSync(file, new Uint8Array(bavail * bsize - left))
  return file
}

testOnDisk(
  'too little room is noticed before pictures are decoded, with what is needed and what is there',
  async (t) => {
    const folder = disk(t, 3_000_000)
    const { error, reads, progress } = await packInto(folder)
    const { code, message } = error as FerError
    t.is(code, 'ERR_OUTPUT')
    t.true(message.includes(`\`${folder}/`), message)
    t.regex(message, /\.safetensors`: they take 4\.86 MB, and 3 MB are free there\. Free space there/)
    t.regex(message, /FER_TORCH_CACHE/)
    t.deepEqual([reads, progress], [[0], []], 'the first, for its size')
    t.deepEqual(await readdir(folder), [])
  },
)

testOnDisk('a disk that others fill meanwhile is an error that loses nothing', async (t) => {
  const folder = disk(t, 8_000_000)
  const events = new EventEmitter()
  const hangsUntil = once(events, 'full')
  const onProgress = (done: number) => done === 600 && events.emit('full', occupy(folder, 0))
  const { error } = await packInto(folder, { hangsFrom: 600, hangsUntil }, { onProgress })
  t.is((error as FerError).code, 'ERR_OUTPUT')
  t.regex((error as FerError).message, /ENOSPC.*Free space there/)
  await rm((await hangsUntil)[0])
  const { error: none, reads } = await packInto(folder)
  t.is(none, undefined)
  t.is(reads.length, count - 512)
  t.true(await isWholePack(folder))
})

testOnDisk('what was begun needs room for the rest only', async (t) => {
  const folder = disk(t, 6_000_000)
  await begunPack(600, {}, folder)
  // 100 of 700 pictures of 6,912 bytes are not yet written: 691,200 bytes.
  const others = occupy(folder, 600_000)
  t.regex(
    ((await packInto(folder)).error as FerError).message,
    /they take (69|70)\d kB, and (59|60)\d kB are free/,
  )
  await rm(others)
  occupy(folder, 800_000)
  const { error, reads } = await packInto(folder)
  t.is(error, undefined)
  t.is(reads.length, count - 512)
})

testOnDisk('a file system that does not say how much is free is written to', async (t) => {
  const folder = disk(t, 0)
  t.is(statfsSync(folder).blocks, 0)
  t.is((await packInto(folder)).error, undefined)
})
