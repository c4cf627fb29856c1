import sharp from 'sharp'
import { resize } from '../../ops.js'
import { predict } from '../../predict.js'
import type { Tensor } from '../../tensor.js'
import type { Bench } from '../bench.js'
import { type Side, type Times, timing } from '../measure.js'
import { photograph } from '../pictures.js'
import { type Row, timeRow } from '../report.js'
import type { Variant } from '../subject.js'
import type { Suite } from '../suites.js'

const width = 640
const height = 960

/** `predict` on the bytes of a JPEG, against its parts: bare sharp, and the answer for pixels that are of the input's size. */
export const photographSuite: Suite = async (bench) => {
  const jpeg = await photograph(width, height)
  const pixels = await resized(jpeg, bench.effort.imageSize)
  const variants = await bench.subject.variants()
  const decoding: Side = { name: 'sharp', run: timing(() => sharp(jpeg).raw().toBuffer()) }
  const parts = variants.map((variant) => ({
    precision: variant.precision,
    whole: answering(variant, jpeg),
    plan: answering(variant, pixels),
  }))
  const sides = [decoding, ...parts.flatMap(({ whole, plan }) => [whole, plan])]
  const samples = await bench.measure('photograph', sides, paceOf(bench))
  return parts.map(({ precision, whole, plan }) =>
    partsRow(precision, samples.get(whole)!, samples.get(decoding)!, samples.get(plan)!),
  )
}

const paceOf = ({ effort: { rounds, pause, perTurn } }: Bench) => ({ rounds, pause, runs: perTurn })

function partsRow(precision: string, whole: Times, decoding: Times, plan: Times): Row {
  const samples = decoding.map((time, round) => time + plan[round]!)
  const subject = { name: `photograph ${width} x ${height} vs its parts`, precision, batch: 1 }
  return timeRow(subject, whole, { version: `sharp ${sharp.versions.sharp} + predict on pixels`, samples })
}

const answering = (
  { model, precision }: Variant,
  input: Uint8Array | { data: Uint8Array; width: number; height: number; channels: 3 },
): Side => ({ name: precision, run: timing(() => predict(input, { model, precision })) })

async function resized(jpeg: Uint8Array, size: number) {
  const { data } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const shape = [1, height, width, 3]
  const image: Tensor<'uint8'> = { dtype: 'uint8', shape, data: new Uint8Array(data) }
  const { data: pixels } = await resize(image, size)
  return { data: pixels, width: size, height: size, channels: 3 } as const
}
