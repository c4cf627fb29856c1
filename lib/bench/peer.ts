import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { plain } from '../errors.js'

/** What to start; `version` is asked of it. */
export interface PeerProgram {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

/** Characters of what a peer writes to stderr, of which the last say why it ended. */
const keptOfStderr = 2000

/**
 * Somebody else's software, in a process of its own, so that its threads and memory are apart from ours. It answers
 * requests one at a time, each a line of JSON on stdin, with a line `{ result }` or `{ error }` on stdout.
 */
export class Peer implements AsyncDisposable {
  readonly name: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: Interface
  readonly #ended: Promise<never>
  #stderr = ''
  #stopping = false

  constructor({ name, command, args }: PeerProgram) {
    this.name = name
    this.#child = spawn(command, args)
    this.#lines = createInterface(this.#child.stdout)
    this.#child.stderr.on('data', (piece) => {
      this.#stderr = (this.#stderr + piece).slice(-keptOfStderr)
    })
    // Its end is told by `close`; a write that comes too late must not end this process.
    this.#child.stdin.on('error', () => {})
    this.#ended = new Promise((_, reject) => {
      this.#child.on('error', (error) => reject(this.#failure(error.message)))
      this.#child.on('close', (code, signal) => reject(this.#failure(this.#describeEnd(code ?? signal))))
    })
    this.#ended.catch(() => {})
  }

  /** Waits for the answer; requests must not overlap. Rejects, naming the peer, where it refuses or has ended. */
  async ask<T>(method: string, request: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const answered = new Promise<string>((resolve) => this.#lines.once('line', resolve))
    this.#child.stdin.write(`${JSON.stringify({ method, ...request })}\n`)
    const { result, error } = this.#parse<T>(await Promise.race([answered, this.#ended]))
    if (error !== undefined) throw this.#failure(error)
    return result
  }

  /** Ends it: by the end of its input, and by force where it does not heed that. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    this.#child.stdin.end()
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 2000)
    await this.#ended.catch(() => {})
    clearTimeout(force)
  }

  #parse<T>(line: string): { result: T; error?: string } {
    try {
      return JSON.parse(line)
    } catch {
      throw this.#failure(`it answered \`${plain(line)}\``)
    }
  }

  #describeEnd(how: number | string | null): string {
    const lines = this.#stderr.trim().split('\n')
    const last = lines.at(-1) ? `: ${lines.at(-1)}` : ''
    return `it ended (${typeof how === 'number' ? `exit code ${how}` : how})${last}`
  }

  #failure(why: string): Error {
    return new Error(`The peer ${this.name} failed: ${why}`)
  }
}
