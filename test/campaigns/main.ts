// Long campaigns, which ordinary tests run in small:
//   npm run campaign -- resume --times 100 --seed 1
import { parseArgs } from 'node:util'
import { resumeCampaign } from './resume.js'

const campaigns: Readonly<
  Record<string, (times: number, seed: number, report: (line: string) => void) => Promise<unknown>>
> = {
  /** In both precisions, and with the optimizer that keeps most. */
  resume: async (times, seed, report) => {
    const results = []
    for (const precision of ['float32', 'bfloat16'] as const)
      results.push({
        precision,
        ...(await resumeCampaign({ times: times / 2, seed, options: { precision }, report })),
      })
    return results
  },
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})
for (const name of positionals) {
  const campaign = campaigns[name]
  if (!campaign)
    throw new Error(`There is no campaign ${name}: they are ${Object.keys(campaigns).join(', ')}`)
  console.log(name, await campaign(Number(values.times), Number(values.seed), console.log))
}
