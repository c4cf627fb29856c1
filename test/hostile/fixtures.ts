import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { datasets, type ErrorCode, FerError } from '../../lib/index.js'
import { imageNet, type ModelInfo } from '../../lib/model/info.js'
import { Model } from '../../lib/model.js'
import { native } from '../../lib/native.js'

export const folder = mkdtempSync(join(tmpdir(), 'fer-torch-hostile-'))
process.env.FER_TORCH_CACHE = join(folder, 'cache')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** A path of its own in this file's folder. */
export const fresh = (extension = ''): string => join(folder, `${++files}${extension}`)

/** Faces in memory, of one grey level each. */
export const blocks = (count = 14, side = 16) =>
  datasets.tensors({
    pixels: {
      dtype: 'uint8',
      shape: [count, side, side, 3],
      data: Uint8Array.from({ length: count * side * side * 3 }, (_, i) => Math.floor(i / (side * side * 3))),
    },
    labels: Array.from({ length: count }, (_, i) => i % 2),
    classes: ['happiness', 'sadness'],
  })

/** A whole network, ARM of 32 pixels by default, which nobody trained: what it answers does not matter here. */
export async function untrainedModel(changes: Partial<ModelInfo> = {}): Promise<Model> {
  const classes = ['happiness', 'sadness']
  const info: ModelInfo = {
    backbone: 'resnet18',
    head: 'arm',
    stem: 'small',
    imageSize: 32,
    color: 'rgb',
    affinity: 'ema',
    normalization: imageNet,
    classCount: classes.length,
    classes,
    provenance: {},
    ...changes,
  }
  const model = new Model(info, await native.createNetwork(info, 1))
  if (info.affinity !== 'none') await model.calibrate(blocks())
  return model
}

/** An error of ours, of this code, which is one short printable text that holds each of these. */
export function isHelpful(
  t: ExecutionContext,
  error: unknown,
  code: ErrorCode | readonly ErrorCode[],
  ...parts: readonly (string | RegExp)[]
): void {
  t.true(error instanceof FerError, `not an error of ours: ${describe(error)}`)
  if (!(error instanceof FerError)) return
  t.true([code].flat().includes(error.code), `${error.code}: ${error.message}`)
  t.true(error.message.length < 1200, `a message of ${error.message.length} characters`)
  t.notRegex(error.message, /\p{Cc}/u)
  for (const part of parts)
    t.true(typeof part === 'string' ? error.message.includes(part) : part.test(error.message), error.message)
}

const describe = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** What the call throws or rejects with; a failure of the test where it does neither. */
export async function refusalOf(t: ExecutionContext, call: () => unknown, what = 'it'): Promise<unknown> {
  try {
    const answer = await call()
    t.fail(`${what} was accepted: ${JSON.stringify(answer)?.slice(0, 200)}`)
  } catch (error) {
    return error
  }
}

/** How long a call took, and by how many bytes the process grew meanwhile at most. */
export async function cost(call: () => Promise<unknown>): Promise<{ seconds: number; bytes: number }> {
  const before = process.memoryUsage().rss
  let peak = before
  const look = () => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  const timer = setInterval(look, 5)
  const started = performance.now()
  await call().finally(() => clearInterval(timer))
  look()
  return { seconds: (performance.now() - started) / 1000, bytes: peak - before }
}

export const makeFifo = async (path: string): Promise<string> => {
  await promisify(execFile)('mkfifo', [path])
  return path
}
