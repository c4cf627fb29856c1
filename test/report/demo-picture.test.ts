import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import type { Picture } from '../../lib/datasets/dataset.js'
import { drawDemoPicture, type JudgedFace, layout } from '../../lib/report/demo-picture.js'

const classes = ['surprise', 'fear', 'disgust', 'happiness', 'sadness', 'anger', 'neutral']
const confusion = classes.map((_, truth) => classes.map((_, predicted) => (truth === predicted ? 9 : 1)))

function plain(grey: number, channels: 1 | 3 = 3): Picture {
  return { data: new Uint8Array(48 * 48 * channels).fill(grey), width: 48, height: 48, channels }
}

function faces(count: number, predicted = 'fear', channels: 1 | 3 = 3): JudgedFace[] {
  return Array.from({ length: count }, () => ({
    picture: plain(200, channels),
    truth: 'fear',
    predicted,
    confidence: 0.9,
  }))
}

async function draw(shown: readonly JudgedFace[], folder: string, accuracy = 0.6) {
  const output = join(folder, `${randomUUID()}.png`)
  await drawDemoPicture({ faces: shown, classes, confusion, accuracy, output })
  return output
}

/** Pixels of the picture that are near a colour. */
async function count(file: string, [red, green, blue]: readonly [number, number, number]): Promise<number> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  let found = 0
  for (let at = 0; at < data.length; at += info.channels) {
    const distance =
      Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue)
    if (distance < 12) found++
  }
  return found
}

let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fer-torch-'))
})
test.after.always(() => rm(folder, { recursive: true, force: true }))

test('writes one PNG of the expected size that is not blank', async (t) => {
  const file = await draw(faces(40), folder)
  const { format, width, height } = await sharp(file).metadata()
  t.deepEqual([format, width, height], ['png', layout.width, layout.height])
  const { channels } = await sharp(file).stats()
  for (const { stdev } of channels) t.true(stdev > 15) // 0 were it blank; 40 measured
})

test('shows every face at its place', async (t) => {
  const file = await draw(faces(40), folder)
  t.true((await count(file, [200, 200, 200])) >= 40 * 96 * 96)
})

test('draws its text: the heading leaves dark pixels in an otherwise white strip', async (t) => {
  const file = await draw(faces(8), folder)
  const strip = await sharp(file)
    .extract({ left: 0, top: 0, width: layout.width, height: 70 })
    .greyscale()
    .raw()
    .toBuffer()
  t.true(strip.filter((value) => value < 80).length > 500) // none without a font
})

test('a wrong answer is red', async (t) => {
  const red = [198, 40, 40] as const
  const right = await count(await draw(faces(6, 'fear'), folder), red)
  const wrong = await count(await draw(faces(6, 'surprise'), folder), red)
  t.true(wrong - right > 6 * 4 * 96 * 2) // at least the frames, three pixels wide
})

test('takes grey faces, and none', async (t) => {
  t.is((await sharp(await draw(faces(3, 'anger', 1), folder)).metadata()).width, layout.width)
  t.is((await sharp(await draw([], folder)).metadata()).width, layout.width)
})

test('a folder that does not exist is an error that names the file', async (t) => {
  const output = join(folder, 'missing', 'demo.png')
  await t.throwsAsync(drawDemoPicture({ faces: [], classes, confusion, accuracy: 1, output }), {
    code: 'ERR_OUTPUT',
    message: /missing.*demo\.png/,
  })
})
