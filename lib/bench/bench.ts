import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Effort, quick, thorough } from './effort.js'
import { describeMachine } from './machine.js'
import { inTurn, type Pace, type Side, type Times } from './measure.js'
import { Peers } from './peers.js'
import type { PeerPlaces } from './programs.js'
import type { Report, Row } from './report.js'
import { measureRoof } from './roof.js'
import { Subject } from './subject.js'
import { type SuiteName, suiteNames, suites } from './suites.js'

export interface BenchOptions extends PeerPlaces {
  /** All by default. */
  readonly suites?: readonly SuiteName[]
  /** Whether to show only that everything runs. */
  readonly quick?: boolean
  readonly signal?: AbortSignal
  /** A line about what could not be compared. */
  readonly onNote?: (line: string) => void
  readonly onProgress?: (label: string, done: number, total: number) => void
}

/** What a suite works with. */
export interface Bench {
  readonly effort: Effort
  readonly subject: Subject
  readonly peers: Peers
  readonly note: (line: string) => void
  readonly progress: (label: string, done: number, total: number) => void
  /** `inTurn`, with its progress shown, until the signal aborts. */
  readonly measure: (label: string, sides: readonly Side[], pace: Pace) => Promise<Map<Side, Times>>
}

/** Measures this package, and its peers where they are installed, in turn on this machine. */
export async function bench(options: BenchOptions = {}): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'fer-torch-bench-'))
  const machine = describeMachine()
  try {
    await using peers = await Peers.find(options, machine.threads, options.onNote ?? nothing)
    const given = await prepare(options, folder, peers)
    const roof = await measureRoof(options.quick ?? false)
    return { machine, roof, rows: await runSuites(options.suites ?? suiteNames, given) }
  } catch (error) {
    // Ctrl-C ends the peers too: that they ended is then not the reason.
    throw options.signal?.aborted ? options.signal.reason : error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepare(options: BenchOptions, folder: string, peers: Peers): Promise<Bench> {
  const effort = options.quick ? quick : thorough
  const { signal, onNote = nothing, onProgress = nothing } = options
  return {
    effort,
    peers,
    subject: await Subject.make(folder, effort.imageSize),
    note: onNote,
    progress: onProgress,
    measure: (label, sides, pace) =>
      inTurn(sides, pace, (done) => {
        signal?.throwIfAborted()
        onProgress(label, done, pace.rounds)
      }),
  }
}

async function runSuites(names: readonly SuiteName[], given: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const name of names) rows.push(...(await (await suites[name]())(given)))
  return rows
}

const nothing = (): void => {}
