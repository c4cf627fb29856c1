import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Told<T> {
  readonly told: T
  /** From the start of the process to its first word. */
  readonly milliseconds: number
}

/** Runs a file of `lib/bench/processes` in a Node of its own; what it tells is one line of JSON on stdout. */
export function runProcess<T>(name: string, args: readonly string[]): Promise<Told<T>> {
  // Of TypeScript's own ending in a checkout whose sources are run.
  const file = new URL(`./processes/${name}${extname(import.meta.url)}`, import.meta.url)
  const started = performance.now()
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  let milliseconds = 0
  child.stdout.on('data', (piece) => {
    if (told === '') milliseconds = performance.now() - started
    told += piece
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve({ told: JSON.parse(told), milliseconds })
      else reject(new Error(`The process of \`${name}\` failed (${signal ?? `exit code ${code}`})`))
    })
  })
}
