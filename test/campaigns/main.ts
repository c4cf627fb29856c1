// Long campaigns, which ordinary tests run in small:
//   npm run campaign -- resume --times 100 --seed 1
//   npm run campaign -- precision --model runs/faces/best.safetensors --data fer2013:datasets/fer2013
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSpec } from '../../lib/datasets/index.js'
import { exitCampaign, terminateCampaign } from './lifecycle.js'
import { modelsCampaign, predictionsCampaign } from './memory.js'
import { precisionCampaign } from './precision.js'
import { resumeCampaign } from './resume.js'

interface Call {
  readonly times: number
  readonly seed: number
  readonly folder: string
  readonly model: string
  readonly data: string
  readonly report: (line: string) => void
}

const campaigns: Readonly<Record<string, (call: Call) => Promise<unknown>>> = {
  resume: async ({ times, seed, report }) => {
    const half = Math.ceil(times / 2)
    const kill = (precision: 'float32' | 'bfloat16') =>
      resumeCampaign({ times: half, seed, options: { precision }, report })
    return { float32: await kill('float32'), bfloat16: await kill('bfloat16') }
  },
  exit: ({ times, seed, report }) => exitCampaign(times, seed, report),
  terminate: ({ times, seed, report }) => terminateCampaign(times, seed, report),
  predictions: async ({ times, folder }) =>
    predictionsCampaign(times, join(folder, 'predictions'), await readFile('docs/face.jpg')),
  precision: ({ model, data }) => precisionCampaign(model, parseSpec(data)),
  models: async ({ times, folder }) => ({
    disposed: await modelsCampaign(times, join(folder, 'disposed'), true),
    dropped: await modelsCampaign(times, join(folder, 'dropped'), false),
  }),
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string', default: '' },
    data: { type: 'string', default: '' },
  },
})
const folder = await mkdtemp(join(tmpdir(), 'fer-torch-campaign-'))
process.env.FER_TORCH_CACHE = join(folder, 'cache')
try {
  for (const name of positionals) {
    const campaign = campaigns[name]
    if (!campaign)
      throw new Error(`There is no campaign ${name}: they are ${Object.keys(campaigns).join(', ')}`)
    const { model, data } = values
    const call = {
      times: Number(values.times),
      seed: Number(values.seed),
      folder,
      model,
      data,
      report: console.log,
    }
    console.log(name, JSON.stringify(await campaign(call), undefined, 2))
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
