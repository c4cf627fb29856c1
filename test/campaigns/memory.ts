// Watches the memory of this process over many calls:
//   npm run campaign -- predictions models --times 10000
import { datasets, Model, predict, train } from '../../lib/index.js'

export interface Growth {
  readonly times: number
  /** Of the resident memory, from after a fifth of the calls to their end, in MB. */
  readonly growth: number
  readonly resident: number
}

const megabytes = () => process.memoryUsage.rss() / 2 ** 20

async function watch(times: number, call: (index: number) => Promise<void>): Promise<Growth> {
  const settled = Math.ceil(times / 5)
  for (let i = 0; i < settled; i++) await call(i)
  const before = megabytes()
  for (let i = settled; i < times; i++) await call(i)
  const resident = megabytes()
  return { times, growth: resident - before, resident }
}

/** A small model on disk. */
async function trained(output: string): Promise<string> {
  const data = datasets.synthetic({ count: 21, seed: 5 })
  const { model, best } = await train({ data, output, epochs: 1, batchSize: 7, imageSize: 48 })
  model.dispose()
  return best.path
}

/** Single faces, of encoded bytes and of pixels in turn. */
export async function predictionsCampaign(
  times: number,
  output: string,
  encoded: Uint8Array,
): Promise<Growth> {
  await using model = await Model.load(await trained(output))
  const pixels = { data: new Uint8Array(48 * 48 * 3).fill(90), width: 48, height: 48, channels: 3 } as const
  return await watch(times, async (i) => {
    await predict(i % 2 ? encoded : pixels, { model })
  })
}

/** Models loaded, used once, and disposed of or only dropped. */
export async function modelsCampaign(times: number, output: string, dispose: boolean): Promise<Growth> {
  const path = await trained(output)
  const pixels = { data: new Uint8Array(48 * 48 * 3).fill(90), width: 48, height: 48, channels: 3 } as const
  return watch(times, async () => {
    const model = await Model.load(path)
    await predict(pixels, { model })
    if (dispose) model.dispose()
  })
}
