import { predict } from '../../predict.js'
import type { Tensor } from '../../tensor.js'
import type { Bench } from '../bench.js'
import { type Contender, compare, contender, type Own } from '../contenders.js'
import { runsOf } from '../effort.js'
import { timing } from '../measure.js'
import { type Feed, networkContender, quantizeForOnnxRuntime, writeFeed } from '../networks.js'
import { noisePixels } from '../pictures.js'
import { peerNames } from '../programs.js'
import type { Row } from '../report.js'
import type { Variant } from '../subject.js'
import type { Suite } from '../suites.js'

/**
 * Our side is the whole of `predict` on 8-bit pixels of the input's size; the peers' is the bare network on floats that
 * are normalised already.
 */
export const predictSuite: Suite = async (bench) => {
  const int8 = await quantizeForOnnxRuntime(bench)
  const rows: Row[] = []
  for (const batch of bench.effort.batches) rows.push(...(await predictBatch(bench, batch, int8)))
  return rows
}

async function predictBatch(bench: Bench, batch: number, int8: string | undefined): Promise<Row[]> {
  const { subject, effort } = bench
  const pixels = noisePixels(batch, effort.imageSize)
  const feed = await writeFeed(bench, pixels)
  const logits = await logitsOf(bench, pixels)
  const contenders: Contender[] = []
  for (const name of peerNames) contenders.push(await networkContender(bench, name, feed, logits))
  if (int8 !== undefined) contenders.push(await int8Contender(bench, int8, feed))
  const owns = (await subject.variants()).map((variant) => ownOf(variant, pixels))
  const what = { name: 'predict', batch, runs: runsOf(effort, batch) }
  return compare(bench, what, owns, contenders, sameCare)
}

/** What gave up accuracy is compared with what did not, but not the other way round. */
const sameCare = (own: Own, { name }: Contender): boolean =>
  own.precision !== 'float32' || !name.endsWith('int8')

const ownOf = ({ model, precision }: Variant, pixels: Tensor<'uint8'>): Own => ({
  precision,
  side: {
    name: precision,
    run: timing(() => predict(pixels, { model, precision, batchSize: pixels.shape[0]! })),
  },
})

async function logitsOf({ subject: { model } }: Bench, pixels: Tensor<'uint8'>): Promise<number[]> {
  const answers = await predict(pixels, { model, precision: 'float32', logits: true })
  return answers.flatMap(({ logits }) => [...logits!])
}

async function int8Contender({ peers }: Bench, model: string, feed: Feed): Promise<Contender> {
  const running = (await peers.shared('onnxruntime-node'))!
  const key = `int8 ${feed.shape[0]}`
  await running.peer.ask('load', { key, model, ...feed })
  return contender(running, key, 'int8')
}
