import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { folder } from '../../lib/datasets/folder.js'
import { FerError } from '../../lib/errors.js'
import { pack } from '../../lib/images/pack.js'
import { readHeader } from '../../lib/safetensors.js'
import { outputFolder } from '../trained.js'

const cache = join(outputFolder(), 'cache')
process.env.FER_TORCH_CACHE = cache

/** Pictures of one class, one a size; level i of grey. */
async function pictures(sizes: readonly [width: number, height: number][]): Promise<string> {
  const path = outputFolder()
  await mkdir(join(path, 'happy'), { recursive: true })
  for (const [i, [width, height]] of sizes.entries()) {
    const level = 10 * (i + 1)
    const background = { r: level, g: level, b: level }
    await sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toFile(join(path, 'happy', `${i}.png`))
  }
  return path
}

const options = { imageSize: 64, color: 'rgb', augmented: false } as const

/** The one pack in the cache, which is then emptied. */
async function packed(path: string, given: Parameters<typeof pack>[1] = options) {
  await rm(cache, { recursive: true, force: true })
  await pack(await folder(path).open('train'), given)
  const [name, ...others] = await readdir(join(cache, 'packs'))
  if (others.length > 0) throw new Error(`more than one file: ${others}`)
  const file = join(cache, 'packs', name!)
  const { tensors } = await readHeader(file)
  const { shape, offset } = tensors.find((tensor) => tensor.name === 'pixels')!
  return { file, shape, pixels: (await readFile(file)).subarray(offset) }
}

test('pictures of one size near the input keep it, whatever their sides', async (t) => {
  const { shape, pixels } = await packed(
    await pictures([
      [70, 60],
      [70, 60],
      [70, 60],
    ]),
  )
  t.deepEqual([...shape], [3, 60, 70, 3])
  t.is(pixels.length, 3 * 60 * 70 * 3)
  for (const i of [0, 1, 2]) t.is(pixels[i * 60 * 70 * 3 + 5], 10 * (i + 1))
})

test('others are resized to the input, with a margin of an eighth where they will be augmented', async (t) => {
  const mixed = await pictures([
    [70, 60],
    [71, 60],
    [200, 100],
  ])
  t.deepEqual([...(await packed(mixed)).shape], [3, 64, 64, 3])
  t.deepEqual([...(await packed(mixed, { ...options, augmented: true })).shape], [3, 72, 72, 3])
  const large = await pictures([
    [200, 200],
    [200, 200],
  ])
  t.deepEqual([...(await packed(large)).shape], [2, 64, 64, 3])
})

test('a grey pack has one channel, of luma and not of sharp grey', async (t) => {
  const path = outputFolder()
  await mkdir(join(path, 'sad'), { recursive: true })
  const background = { r: 200, g: 50, b: 30 }
  await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .png()
    .toFile(join(path, 'sad', 'x.png'))
  const { shape, pixels } = await packed(path, { ...options, color: 'grey' })
  t.deepEqual([...shape], [1, 64, 64, 1])
  t.is(pixels[100], 93, '0.299 * 200 + 0.587 * 50 + 0.114 * 30 = 92.57; sharp would give 107')
})

test('a pack is made once, made anew when a picture changes, and made anew when it is damaged', async (t) => {
  const path = await pictures([
    [64, 64],
    [64, 64],
  ])
  const decoded = async () => {
    let count = 0
    await pack(await folder(path).open('train'), { ...options, onProgress: () => count++ })
    return count
  }
  t.is(await decoded(), 2)
  t.is(await decoded(), 0)
  const background = { r: 1, g: 2, b: 3 }
  await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .png()
    .toFile(join(path, 'happy', '2.png'))
  t.is(await decoded(), 3)
  for (const name of await readdir(join(cache, 'packs'))) {
    const file = join(cache, 'packs', name)
    await writeFile(file, (await readFile(file)).subarray(0, 2000))
  }
  t.is(await decoded(), 3)
})

test('a pack is kept in the folder that is named for it, and not in the cache', async (t) => {
  const path = await pictures([[64, 64]])
  await rm(cache, { recursive: true, force: true })
  const kept = join(outputFolder(), 'new')
  await pack(await folder(path).open('train'), { ...options, folder: kept })
  t.regex(String(await readdir(kept)), /^[0-9a-f]{32}\.safetensors$/)
  t.false(existsSync(cache))
})

test('a picture that cannot be decoded is named, and no half pack is left', async (t) => {
  const path = await pictures([
    [64, 64],
    [64, 64],
    [64, 64],
  ])
  await writeFile(join(path, 'happy', '1.png'), 'not a picture')
  await rm(cache, { recursive: true, force: true })
  const error = await t.throwsAsync(async () => pack(await folder(path).open('train'), options), {
    instanceOf: FerError,
  })
  t.is(error!.code, 'ERR_BAD_IMAGE')
  t.regex(error!.message, /1\.png/)
  t.deepEqual(await readdir(join(cache, 'packs')), [])
})

test('a cache that cannot be written is an error that names it and the cure', async (t) => {
  const path = await pictures([[64, 64]])
  process.env.FER_TORCH_CACHE = join(path, 'happy', '0.png')
  const error = await t.throwsAsync(async () => pack(await folder(path).open('train'), options), {
    instanceOf: FerError,
  })
  process.env.FER_TORCH_CACHE = cache
  t.is(error!.code, 'ERR_OUTPUT')
  t.regex(error!.message, /FER_TORCH_CACHE/)
})

test('packing stops when it is aborted', async (t) => {
  const path = await pictures(Array.from({ length: 40 }, () => [64, 64]))
  await rm(cache, { recursive: true, force: true })
  const controller = new AbortController()
  const reason = new Error('enough')
  const onProgress = (done: number) => done === 5 && controller.abort(reason)
  const call = async () =>
    pack(await folder(path).open('train'), { ...options, onProgress, signal: controller.signal })
  await t.throwsAsync(call, { is: reason })
})
