import { chosenPrecision } from '../../calls.js'
import type { Bench } from '../bench.js'
import { type Contender, rivalOf, sidesOf } from '../contenders.js'
import type { Side, Times } from '../measure.js'
import { loadNetwork, writeFeed } from '../networks.js'
import { noisePixels } from '../pictures.js'
import { runProcess } from '../process.js'
import { type PeerName, peerNames } from '../programs.js'
import { type Row, timeRow } from '../report.js'
import type { Suite } from '../suites.js'

const phases = ['node', 'import', 'load', 'predict'] as const
type Phases = Readonly<Record<(typeof phases)[number], number>>

/** A process from its start to its first answer, ours with a bfloat16 file; and where our time goes. */
export const coldStartSuite: Suite = async (bench) => {
  const { starts: rounds, pause } = bench.effort
  const told: Phases[] = []
  const own = await ownSide(bench, told)
  const contenders: Contender[] = []
  for (const name of peerNames) contenders.push(await startingPeer(bench, name))
  const sides = [own, ...sidesOf(contenders)]
  const samples = await bench.measure('cold start', sides, { rounds, pause, runs: 1 })
  return [...totals(samples.get(own)!, contenders, samples), ...phases.map((phase) => phaseRow(phase, told))]
}

const subject = (name: string) => ({ name, precision: chosenPrecision('auto'), batch: 1 })

const totals = (ours: Times, contenders: readonly Contender[], samples: ReadonlyMap<Side, Times>): Row[] =>
  contenders.map((contender) =>
    timeRow(subject(`cold start vs ${contender.name}`), ours, rivalOf(contender, samples)),
  )

/** Without the first start, which warms up the disk's cache. */
const phaseRow = (phase: keyof Phases, told: readonly Phases[]): Row =>
  timeRow(
    subject(`cold start: ${phase}`),
    told.slice(1).map((times) => times[phase]),
  )

async function ownSide({ subject }: Bench, told: Phases[]): Promise<Side> {
  const file = await subject.file('bfloat16')
  return {
    name: 'fer-torch',
    run: async () => {
      const run = await runProcess<Phases>('cold-start', [file])
      told.push(run.told)
      return [run.milliseconds]
    },
  }
}

async function startingPeer(bench: Bench, name: PeerName): Promise<Contender> {
  const { peers, subject, effort } = bench
  const running = await peers.shared(name)
  if (!running) return { name: `${name} float32` }
  const feed = await writeFeed(bench, noisePixels(1, effort.imageSize))
  const run = async () => {
    const started = performance.now()
    const fresh = await peers.start(name)
    await using _ = fresh.peer
    await loadNetwork(subject, name, fresh, 'network', feed)
    return [performance.now() - started]
  }
  return { name: `${name} float32`, version: `${running.version}, float32`, side: { name, run } }
}
