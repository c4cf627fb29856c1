import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { folder } from '../../lib/datasets/folder.js'
import { type PackOptions, packPictures } from '../../lib/images/pack.js'
import { outputFolder } from '../trained.js'
import { blockOf, levels } from '../training/levels.js'

const classes = ['happiness', 'sadness']
const faces = [1, 2, 1, 3].map((level, i) => ({ level, label: i % 2 }))
const options = { imageSize: 48, color: 'grey', augmented: false } as const

/** In hexadecimal, one a picture. */
async function digestsOf(given: Parameters<typeof packPictures>[0], changes: Partial<PackOptions> = {}) {
  const packed = await packPictures(given, { ...options, folder: outputFolder(), ...changes })
  const text = Buffer.from(await packed.digests()).toString('hex')
  return text.match(/.{32}/g)!
}

const opened = (given: object = {}) => levels('digests', classes, faces, given).open('train')

test('digests are alike where all pixels are, and only there', async (t) => {
  const [first, second, third, fourth, ...others] = await digestsOf(await opened())
  t.is(first, third)
  t.is(new Set([first, second, fourth]).size, 3)
  t.deepEqual(others, [])
})

test('the same pictures have the same digests from a block in memory, packed, and found in the cache', async (t) => {
  const kept = outputFolder()
  const packed = await digestsOf(await opened(), { folder: kept })
  t.deepEqual(await digestsOf(await opened({ pixels: blockOf(faces) })), packed)
  t.deepEqual(
    await digestsOf(await opened(), { folder: kept, onProgress: () => t.fail('decoded again') }),
    packed,
  )
})

test('digests are those of the pictures as they were decoded, at whatever size and colour they are packed', async (t) => {
  const plain = await digestsOf(await opened())
  t.deepEqual(await digestsOf(await opened(), { imageSize: 16 }), plain)
  t.deepEqual(await digestsOf(await opened(), { color: 'rgb' }), plain)
})

test('one other pixel is another digest, though the packed pictures are too small to tell', async (t) => {
  const path = outputFolder()
  await mkdir(join(path, 'happy'), { recursive: true })
  for (const name of ['a', 'b', 'c']) {
    const data = new Uint8Array(200 * 200).fill(100)
    if (name === 'b') data[777] = 101
    const raw = { width: 200, height: 200, channels: 1 } as const
    await sharp(data, { raw })
      .toColourspace('b-w')
      .png()
      .toFile(join(path, 'happy', `${name}.png`))
  }
  const [a, b, c] = await digestsOf(await folder(path).open('train'), { imageSize: 16 })
  t.is(a, c)
  t.not(a, b)
})

test('a pack that is cut short or from before there were digests is made anew', async (t) => {
  const kept = outputFolder()
  const expected = await digestsOf(await opened(), { folder: kept })
  const [name] = (await readdir(kept)).filter((entry) => entry.endsWith('.safetensors'))
  const whole = await readFile(join(kept, name!))
  // The same length, so that all else still fits.
  const older = Buffer.from(whole.toString('latin1').replace('"digests"', '"nothing"'), 'latin1')
  const former = Buffer.from(whole.toString('latin1').replace(/pack \d/, 'pack 0'), 'latin1')
  for (const damaged of [whole.subarray(0, -1), whole.subarray(0, 100), older, former]) {
    await writeFile(join(kept, name!), damaged)
    let decoded = 0
    t.deepEqual(await digestsOf(await opened(), { folder: kept, onProgress: () => decoded++ }), expected)
    t.is(decoded, 4)
  }
})

test('a block in memory is read where it lies, whatever part of a buffer it is', async (t) => {
  const { data, shape } = blockOf(faces)
  const shifted = new Uint8Array(data.length + 7)
  shifted.set(data, 7)
  const pixels = { data: shifted.subarray(7), shape }
  t.deepEqual(await digestsOf(await opened({ pixels })), await digestsOf(await opened()))
})
