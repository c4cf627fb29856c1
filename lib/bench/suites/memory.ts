import { chosenPrecision } from '../../calls.js'
import type { Bench } from '../bench.js'
import { loadNetwork, writeFeed } from '../networks.js'
import { noisePixels } from '../pictures.js'
import { runProcess } from '../process.js'
import { type PeerName, peerNames } from '../programs.js'
import { memoryRow, type Rival, type Row } from '../report.js'
import type { Suite } from '../suites.js'

interface Told {
  /** Bytes after the first answer. */
  readonly loaded: number
  /** Bytes by which all those pictures raised the peak. */
  readonly growth: number
}

/** Megabytes of a whole process after its first answer, and those that many pictures in one buffer add. */
export const memorySuite: Suite = async (bench) => {
  const { subject, effort, progress } = bench
  const label = `memory, ${effort.views} pictures`
  progress(label, 0, 1)
  const { told } = await runProcess<Told>('memory', [await subject.file('bfloat16'), String(effort.views)])
  progress(label, 1, 1)
  const rows: Row[] = []
  for (const name of peerNames) {
    const what = { name: `resident after loading vs ${name} float32`, precision, batch: 1 }
    rows.push(memoryRow(what, [megabytes(told.loaded)], await residentPeer(bench, name)))
  }
  const growth = { name: 'growth over pictures in one buffer', precision, batch: effort.views }
  return [...rows, memoryRow(growth, [megabytes(told.growth)])]
}

const precision = chosenPrecision('auto')
const megabytes = (bytes: number): number => bytes / 1e6

async function residentPeer(bench: Bench, name: PeerName): Promise<Rival | undefined> {
  const { peers, subject, effort } = bench
  if (!peers.has(name)) return undefined
  const fresh = await peers.start(name)
  await using peer = fresh.peer
  await loadNetwork(subject, name, fresh, 'network', await writeFeed(bench, noisePixels(1, effort.imageSize)))
  const { resident } = await peer.ask<{ resident: number }>('memory')
  return { version: `${fresh.version}, float32`, samples: [megabytes(resident)] }
}
