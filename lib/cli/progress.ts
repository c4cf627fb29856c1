import { SingleBar } from 'cli-progress'
import type { FacesOptions, PackProgress } from '../options/faces.js'

const look = {
  format: '{label} [{bar}] {percentage}% {note}{left}',
  barsize: 24,
  barCompleteChar: '=',
  barIncompleteChar: ' ',
  clearOnComplete: true,
  // Ctrl-C is the command's to handle: it clears the bar when it has ended in order.
  gracefulExit: false,
}

/** Shows on stderr how a call that goes through faces gets on, which `work` starts with these listeners. */
export async function showProgress<T>(
  label: string,
  work: (listeners: Required<Pick<FacesOptions, 'onPack' | 'onProgress'>>) => Promise<T>,
): Promise<T> {
  const progress = new Progress()
  try {
    return await work({
      onPack: (packed) => progress.packing(packed),
      onProgress: (done, total) => progress.count(label, done, total),
    })
  } finally {
    progress.end()
  }
}

/** What goes on, on stderr: one bar on a terminal, plain lines where nobody watches. */
export class Progress {
  readonly #terminal = process.stderr.isTTY && process.env.TERM !== 'dumb'
  #bar: SingleBar | undefined
  #label = ''
  #tenths = 0
  #first = { done: 0, time: 0 }

  /** Moves the bar, if there is one. */
  bar(label: string, done: number, total: number, note = `${done}/${total}`): void {
    if (!this.#terminal) return
    if (label !== this.#label) this.#begin(label, done)
    const texts = { label, note, left: this.#left(done, total) }
    if (this.#bar) this.#bar.update(done, texts)
    else this.#start(done, total, texts)
  }

  #start(done: number, total: number, texts: object): void {
    this.#bar = new SingleBar({ ...look, stream: process.stderr })
    this.#bar.start(total, done, texts)
  }

  #begin(label: string, done: number): void {
    this.#clear()
    this.#label = label
    this.#first = { done, time: performance.now() }
  }

  /** Over all that was seen of this task: cli-progress forgets where a line has interrupted the bar. */
  #left(done: number, total: number): string {
    const pace = (performance.now() - this.#first.time) / (done - this.#first.done)
    const seconds = (pace * (total - done)) / 1000
    return Number.isFinite(seconds) ? `, ${Math.ceil(seconds)} s left` : ''
  }

  /** Moves the bar; without one, a line for each tenth that is done. */
  count(label: string, done: number, total: number): void {
    if (this.#terminal) this.bar(label, done, total)
    else this.#countInLines(label, done, total)
  }

  packing({ split, done, total }: PackProgress): void {
    this.count(`preparing faces (${split})`, done, total)
  }

  #countInLines(label: string, done: number, total: number): void {
    if (label !== this.#label) this.#tenths = 0
    this.#label = label
    const tenths = Math.floor((10 * done) / total)
    if (tenths <= this.#tenths) return
    this.#tenths = tenths
    this.line(`${label}: ${done} of ${total}`)
  }

  /** A line that stays, above the bar. */
  line(text: string): void {
    this.#clear()
    process.stderr.write(`${text}\n`)
  }

  /** Must be called at the end: a bar keeps a timer. */
  end(): void {
    this.#clear()
  }

  #clear(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
