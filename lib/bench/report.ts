import type { Machine } from './machine.js'
import { median, spreadOf, type Times } from './measure.js'
import type { Roof } from './roof.js'

/** What `fer-torch bench --json` prints. */
export interface Report {
  readonly machine: Machine
  readonly roof: Roof
  readonly rows: readonly Row[]
}

export type Unit = 'ms' | 'images/s' | 'MB'

/** One comparison. Values are medians. */
export interface Row {
  /** What was measured, and against what; unique together with precision and batch. */
  readonly name: string
  /** Of our side. */
  readonly precision: string
  readonly batch: number
  readonly ours: number
  /** Null where there is nothing to compare with, or the peer is not installed. */
  readonly peer: number | null
  readonly peerVersion: string | null
  readonly unit: Unit
  /** How many times as good ours is, whatever the unit: above 1, ours is ahead. */
  readonly ratio: number | null
  /** Interquartile range over median, of the side where it is larger. */
  readonly spread: number
}

export interface Measured {
  readonly name: string
  readonly precision: string
  readonly batch: number
}

/** The other side of a row: what was measured of it, and what it was. */
export interface Rival {
  readonly version: string
  readonly samples: Times
}

/** A row of durations of one batch; single images as latency, several as throughput. */
export function timeRow(measured: Measured, ours: Times, rival?: Rival): Row {
  const { batch } = measured
  if (batch === 1) return makeRow(measured, 'ms', median, ours, rival)
  return makeRow(measured, 'images/s', (times) => (1000 * batch) / median(times), ours, rival)
}

export const memoryRow = (measured: Measured, ours: Times, rival?: Rival): Row =>
  makeRow(measured, 'MB', median, ours, rival)

function makeRow(
  measured: Measured,
  unit: Unit,
  summary: (samples: Times) => number,
  ours: Times,
  rival: Rival | undefined,
): Row {
  const own = summary(ours)
  const other = rival ? summary(rival.samples) : null
  const better = unit === 'images/s' ? (a: number, b: number) => a / b : (a: number, b: number) => b / a
  return {
    ...measured,
    ours: own,
    peer: other,
    peerVersion: rival?.version ?? null,
    unit,
    ratio: other === null || own === 0 ? null : better(own, other),
    spread: Math.max(spreadOf(ours), rival ? spreadOf(rival.samples) : 0),
  }
}
