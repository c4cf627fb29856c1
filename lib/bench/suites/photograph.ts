import sharp from 'sharp'
import { resize } from '../../ops.js'
import { predict } from '../../predict.js'
import type { Tensor } from '../../tensor.js'
import type { Bench } from '../bench.js'
import { type Side, timing } from '../measure.js'
import { photograph } from '../pictures.js'
import { timeRow } from '../report.js'
import type { Variant } from '../subject.js'
import type { Suite } from '../suites.js'

const width = 640
const height = 960

/** `predict` on the bytes of a JPEG, against its parts: bare sharp, then the answer for pixels of the input's size. */
export const photographSuite: Suite = async (bench) => {
  const jpeg = await photograph(width, height)
  const pixels = await resized(jpeg, bench.effort.imageSize)
  const variants = await bench.subject.variants()
  const pairs = variants.map((variant) => ({
    precision: variant.precision,
    whole: side(variant, () => answer(variant, jpeg)),
    // One after the other, as in use: either alone, over and over, finds its own data in the caches.
    parts: side(variant, async () => {
      await sharp(jpeg).raw().toBuffer()
      await answer(variant, pixels)
    }),
  }))
  const samples = await bench.measure(
    'photograph',
    pairs.flatMap(({ whole, parts }) => [whole, parts]),
    paceOf(bench),
  )
  return pairs.map(({ precision, whole, parts }) => {
    const measured = { name: `photograph ${width} x ${height} vs its parts`, precision, batch: 1 }
    return timeRow(measured, samples.get(whole)!, { version, samples: samples.get(parts)! })
  })
}

const version = `sharp ${sharp.versions.sharp} + predict on pixels`

const paceOf = ({ effort: { rounds, pause, perTurn } }: Bench) => ({ rounds, pause, runs: perTurn })

type Picture = Uint8Array | { data: Uint8Array; width: number; height: number; channels: 3 }

const side = ({ precision }: Variant, call: () => Promise<unknown>): Side => ({
  name: precision,
  run: timing(call),
})

const answer = ({ model, precision }: Variant, picture: Picture) => predict(picture, { model, precision })

async function resized(jpeg: Uint8Array, size: number) {
  const { data } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const shape = [1, height, width, 3]
  const image: Tensor<'uint8'> = { dtype: 'uint8', shape, data: new Uint8Array(data) }
  const { data: pixels } = await resize(image, size)
  return { data: pixels, width: size, height: size, channels: 3 } as const
}
