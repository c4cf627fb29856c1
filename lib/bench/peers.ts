import { Peer, type PeerProgram } from './peer.js'
import { finders, type PeerName, type PeerPlaces, peerNames } from './programs.js'

/** A peer that runs, and what it calls itself. */
export interface Running {
  readonly peer: Peer
  /** Name and version. */
  readonly version: string
  /** What else it can do: `quantize`, `writeArm`. */
  readonly abilities: readonly string[]
}

/** The peers that are installed here; each is started when it is first asked for. */
export class Peers implements AsyncDisposable {
  readonly #programs: ReadonlyMap<PeerName, PeerProgram>
  readonly #threads: number
  readonly #running = new Map<PeerName, Promise<Running>>()

  private constructor(programs: ReadonlyMap<PeerName, PeerProgram>, threads: number) {
    this.#programs = programs
    this.#threads = threads
  }

  /** Notes, a line each, which peers are missing, and how to get them. */
  static async find(places: PeerPlaces, threads: number, onNote: (line: string) => void): Promise<Peers> {
    const programs = new Map<PeerName, PeerProgram>()
    for (const name of peerNames) {
      const found = await finders[name](places)
      if ('program' in found) programs.set(name, found.program)
      else onNote(`no comparison with ${name}: ${found.missing}`)
    }
    return new Peers(programs, threads)
  }

  has(name: PeerName): boolean {
    return this.#programs.has(name)
  }

  /** The one that all suites share, if it is installed. */
  async shared(name: PeerName): Promise<Running | undefined> {
    if (!this.has(name)) return undefined
    if (!this.#running.has(name)) this.#running.set(name, this.start(name))
    return this.#running.get(name)
  }

  /** A new one, for the caller to dispose of. */
  async start(name: PeerName): Promise<Running> {
    const { args, ...program } = this.#programs.get(name)!
    const peer = new Peer({ ...program, args: [...args, String(this.#threads)] })
    try {
      const { version, abilities } = await peer.ask<Omit<Running, 'peer'>>('hello')
      return { peer, version: `${name} ${version}`, abilities }
    } catch (error) {
      await peer[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const started = await Promise.allSettled(this.#running.values())
    const running = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    await Promise.all(running.map(({ peer }) => peer[Symbol.asyncDispose]()))
  }
}
