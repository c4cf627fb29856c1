import { join } from 'node:path'
import { type ArmWeights, arm } from '../../ops.js'
import type { Bench } from '../bench.js'
import { type Contender, compare, contender, expectAgreement } from '../contenders.js'
import { timing } from '../measure.js'
import type { Feed } from '../networks.js'
import { asRequest, drawFeatures, drawWeights, writeFeatures } from '../operands.js'
import type { PeerName } from '../programs.js'
import type { Row } from '../report.js'
import type { Suite } from '../suites.js'

/** ARM alone, on features as the backbone leaves them, against its definition in each peer's own order of memory. */
export const armSuite: Suite = async (bench) => {
  const weights = drawWeights()
  const model = await writeGraph(bench, weights)
  const rows: Row[] = []
  for (const batch of bench.effort.batches) rows.push(...(await measureBatch(bench, batch, weights, model)))
  return rows
}

async function measureBatch(
  bench: Bench,
  batch: number,
  weights: ArmWeights,
  model: string | undefined,
): Promise<Row[]> {
  const features = drawFeatures(batch)
  const { data } = await arm(features, weights)
  const trial = {
    feed: await writeFeatures(bench.subject.folder, features),
    answer: [...(data as Float32Array)],
  }
  const load = { method: 'loadArm', weights: asRequest(weights) }
  const contenders = [await armContender(bench, 'PyTorch', load, trial)]
  if (model !== undefined || !bench.peers.has('onnxruntime-node'))
    contenders.push(await armContender(bench, 'onnxruntime-node', { method: 'load', model }, trial))
  const own = { precision: 'float32', side: { name: 'arm', run: timing(() => arm(features, weights)) } }
  return compare(bench, { name: 'arm', batch, runs: bench.effort.operatorRuns }, [own], contenders)
}

interface Trial {
  readonly feed: Feed
  readonly answer: readonly number[]
}

async function armContender(
  { peers }: Bench,
  name: PeerName,
  { method, ...load }: { readonly method: string; readonly [field: string]: unknown },
  { feed, answer }: Trial,
): Promise<Contender> {
  const running = await peers.shared(name)
  if (!running) return { name: `${name} float32` }
  const key = `arm ${feed.shape[0]}`
  const { output } = await running.peer.ask<{ output: number[] }>(method, { key, ...load, ...feed })
  expectAgreement(running.version, output, answer)
  return contender(running, key, 'float32')
}

/** The definition as ONNX Runtime reads it, which Python can write. */
async function writeGraph({ peers, subject, note }: Bench, weights: ArmWeights): Promise<string | undefined> {
  if (!peers.has('onnxruntime-node')) return undefined
  const python = await peers.shared('PyTorch')
  if (!python?.abilities.includes('writeArm')) {
    note('no comparison of ARM alone with onnxruntime-node: its model needs a Python with torch and onnx')
    return undefined
  }
  const output = join(subject.folder, 'arm.onnx')
  await python.peer.ask('writeArm', { output, weights: asRequest(weights) })
  return output
}
