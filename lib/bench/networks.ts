import { join } from 'node:path'
import type { Tensor } from '../tensor.js'
import type { Bench } from './bench.js'
import { type Contender, contender, expectAgreement } from './contenders.js'
import type { Running } from './peers.js'
import { noisePixels, writeNormalized } from './pictures.js'
import type { PeerName } from './programs.js'
import type { Subject } from './subject.js'

/** What a peer's network reads: a file of floats, and their shape (N, 3, S, S). */
export interface Feed {
  readonly input: string
  readonly shape: readonly number[]
}

/** The measured model as the peer reads it. */
const modelFile = (subject: Subject, name: PeerName): Promise<string> =>
  name === 'PyTorch' ? subject.file('float32') : subject.onnx()

/** Lets a peer load the measured model under `key` and answer once. */
export async function loadNetwork(
  subject: Subject,
  name: PeerName,
  { peer }: Running,
  key: string,
  feed: Feed,
): Promise<readonly number[]> {
  const model = await modelFile(subject, name)
  const { output } = await peer.ask<{ output: number[] }>('load', { key, model, ...feed })
  return output
}

/** Pixels as peers take them. */
export async function writeFeed({ subject }: Bench, pixels: Tensor<'uint8'>): Promise<Feed> {
  const [count, height, width] = pixels.shape as [number, number, number]
  const input = join(subject.folder, `pictures-${count}.floats`)
  await writeNormalized(input, pixels, subject.model.info)
  return { input, shape: [count, 3, height, width] }
}

/** The same network in float32, which must give the same logits. */
export async function networkContender(
  { peers, subject }: Bench,
  name: PeerName,
  feed: Feed,
  logits: readonly number[],
): Promise<Contender> {
  const running = await peers.shared(name)
  if (!running) return { name: `${name} float32` }
  const key = `network ${feed.shape[0]}`
  expectAgreement(running.version, await loadNetwork(subject, name, running, key, feed), logits)
  return contender(running, key, 'float32')
}

/** Pictures from which the ranges of values are taken. */
const calibrating = 8

/** The path of the same network with quantising nodes, which only ONNX Runtime in Python can make. */
export async function quantizeForOnnxRuntime(bench: Bench): Promise<string | undefined> {
  const { peers, subject, note } = bench
  if (!peers.has('onnxruntime-node')) return undefined
  const python = await peers.shared('PyTorch')
  if (!python?.abilities.includes('quantize')) {
    note(
      'no comparison with onnxruntime-node int8: its model needs a Python with torch, onnx and onnxruntime',
    )
    return undefined
  }
  const output = join(subject.folder, 'int8.onnx')
  const feed = await writeFeed(bench, noisePixels(calibrating, bench.effort.imageSize))
  await python.peer.ask('quantize', { model: await subject.onnx(), output, ...feed })
  return output
}
