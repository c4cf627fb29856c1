import type { Bench } from './bench.js'
import type { Side, Times } from './measure.js'
import type { Peer } from './peer.js'
import type { Running } from './peers.js'
import { type Measured, type Rival, type Row, timeRow } from './report.js'

/** What a row compares with; without a side where the peer is not installed. */
export interface Contender {
  /** Its software and precision. */
  readonly name: string
  readonly version?: string
  readonly side?: Side
}

/** Something of ours that is measured. */
export interface Own {
  readonly precision: string
  readonly side: Side
}

/** A peer's runs of what it has loaded under this key. */
export const peerSide = (peer: Peer, key: string): Side => ({
  name: `${peer.name} ${key}`,
  run: async (runs) => (await peer.ask<{ times: Times }>('run', { key, runs })).times,
})

export const contender = (running: Running, key: string, precision: string): Contender => ({
  name: `${running.peer.name} ${precision}`,
  version: `${running.version}, ${precision}`,
  side: peerSide(running.peer, key),
})

export const sidesOf = (contenders: readonly Contender[]): Side[] =>
  contenders.flatMap(({ side }) => (side ? [side] : []))

export function rivalOf({ version, side }: Contender, samples: ReadonlyMap<Side, Times>): Rival | undefined {
  return side && { version: version!, samples: samples.get(side)! }
}

export interface Compared {
  readonly name: string
  readonly batch: number
  /** A turn. */
  readonly runs: number
  /** Those of the effort, if not given. */
  readonly rounds?: number
}

/** Measures all in turn; a row for each of ours against each contender that `fits` it. */
export async function compare(
  bench: Bench,
  what: Compared,
  owns: readonly Own[],
  contenders: readonly Contender[],
  fits: (own: Own, contender: Contender) => boolean = () => true,
): Promise<Row[]> {
  const { name, batch, runs, rounds = bench.effort.rounds } = what
  const { pause } = bench.effort
  const sides = [...owns.map(({ side }) => side), ...sidesOf(contenders)]
  const samples = await bench.measure(`${name}, batch ${batch}`, sides, { rounds, pause, runs })
  return owns.flatMap((own) =>
    contenders
      .filter((contender) => fits(own, contender))
      .map((contender) => {
        const measured: Measured = { name: `${name} vs ${contender.name}`, precision: own.precision, batch }
        return timeRow(measured, samples.get(own.side)!, rivalOf(contender, samples))
      }),
  )
}

/** Largest difference of two answers, as a share of the largest number, that rounding alone explains. */
const tolerance = 1e-3

/** A comparison with software that computes something else would tell nothing. */
export function expectAgreement(peer: string, theirs: readonly number[], ours: readonly number[]): void {
  const largest = Math.max(...ours.map(Math.abs))
  const difference = Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? Number.NaN))))
  if (theirs.length === ours.length && difference <= tolerance * largest) return
  throw new Error(`The peer ${peer} computes something else: ${theirs.slice(0, 3)}, not ${ours.slice(0, 3)}`)
}
