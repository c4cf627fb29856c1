// Ends processes and workers at random moments of training and predicting, and watches memory over many calls:
//   npm run campaign -- exit terminate predictions models --times 200 --seed 1
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { randomNumbers } from './random.js'

export interface Endings {
  readonly times: number
  /** What did not end as it should: a signal, an exit code, words on stderr. */
  readonly failures: readonly string[]
}

type Report = (line: string) => void

const busy = fileURLToPath(new URL('busy-process.ts', import.meta.url))
/** At most so long after the work has begun, in milliseconds: over several steps and calls. */
const longest = 600

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fer-torch-lifecycle-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Processes that train and predict, and call process.exit(7) at a random moment. */
export function exitCampaign(times: number, seed: number, report?: Report): Promise<Endings> {
  return withFolder(async (folder) => {
    const random = randomNumbers(seed)
    const failures: string[] = []
    for (let i = 0; i < times; i++) {
      const after = Math.floor(random() * longest)
      const ended = await exitingProcess(folder, `run-${i}`, after)
      if (ended !== '7') failures.push(`process ${i}, after ${after} ms: ${ended}`)
      report?.(`${i + 1} processes, ${failures.length} failures`)
    }
    return { times, failures }
  })
}

async function exitingProcess(folder: string, run: string, after: number): Promise<string> {
  const data = JSON.stringify({ output: join(folder, run), exitAfter: after })
  const env = { ...process.env, FER_TORCH_CACHE: join(folder, 'cache'), BUSY: data }
  const child = spawn(process.execPath, ['--import=tsx', busy], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  const [code, signal] = await once(child, 'close')
  return stderr.trim() || signal ? `${signal ?? code} ${stderr}` : String(code)
}

/** Workers that train and predict, several at a time, and are terminated at a random moment. */
export function terminateCampaign(
  times: number,
  seed: number,
  report?: Report,
  atOnce = 2,
): Promise<Endings> {
  return withFolder(async (folder) => {
    process.env.FER_TORCH_CACHE = join(folder, 'cache')
    const random = randomNumbers(seed)
    const failures: string[] = []
    for (let i = 0; i < times; i += atOnce) {
      const delays = Array.from({ length: Math.min(atOnce, times - i) }, () => Math.floor(random() * longest))
      const endings = await Promise.all(
        delays.map((after, k) => terminated(join(folder, `run-${i + k}`), after)),
      )
      failures.push(...endings.filter((ending) => ending !== ''))
      report?.(`${i + delays.length} workers, ${failures.length} failures`)
    }
    return { times, failures }
  })
}

async function terminated(output: string, after: number): Promise<string> {
  // A worker's own code is a CommonJS script unless it is a file: it hands on to tsx and an ES module.
  const code = `import('tsx/esm/api').then(async ({ register }) => { register(); await import(${JSON.stringify(busy)}) })`
  const worker = new Worker(code, { eval: true, env: { ...process.env, BUSY: JSON.stringify({ output }) } })
  const failed = once(worker, 'error').then(([error]) => error)
  const error = await Promise.race([once(worker, 'message').then(() => undefined), failed])
  if (error) return String(error)
  await new Promise((resolve) => setTimeout(resolve, after))
  const code1 = await worker.terminate()
  return code1 === 1 ? '' : `exit code ${code1}`
}
