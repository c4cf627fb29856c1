// Kills a real training process at random instants, resumes it, and holds what it ends with against a run never killed:
//   npm run campaign -- resume --times 100 --seed 1
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TrainOptions } from '../../lib/index.js'
import { randomNumbers } from './random.js'

const main = fileURLToPath(new URL('training-process.ts', import.meta.url))

export interface ResumeCampaign {
  /** How often to kill; a run that ends before that is begun anew. */
  readonly times: number
  readonly seed: number
  readonly options: Partial<TrainOptions>
  readonly report?: (line: string) => void
}

export interface ResumeResult {
  readonly kills: number
  /** Of those, while a file of the run was being written. */
  readonly whileWriting: number
  /** Runs that were killed at least once and then came to their end. */
  readonly runs: number
  /** What differed from the unbroken run; empty where all is well. */
  readonly differences: readonly string[]
}

export async function resumeCampaign({
  times,
  seed,
  options,
  report,
}: ResumeCampaign): Promise<ResumeResult> {
  const folder = await mkdtemp(join(tmpdir(), 'fer-torch-resume-'))
  const random = randomNumbers(seed)
  const start = (output: string) => startTraining(folder, { ...options, output: join(folder, output) })
  try {
    const started = performance.now()
    await start('unbroken').ended
    const length = performance.now() - started
    const expected = await digests(join(folder, 'unbroken'))
    const differences: string[] = []
    let [kills, whileWriting, runs] = [0, 0, 0]
    for (; kills < times; runs++) {
      const output = `killed-${runs}`
      for (let finished = false; !finished; ) {
        const run = start(output)
        // Of every three, one is killed in the middle of writing, the others at any instant.
        const writing = random() < 1 / 3
        const killed =
          kills < times && (await killSoon(run, writing, random() * length, join(folder, output)))
        if (killed) kills++
        if (killed && writing) whileWriting++
        finished = !killed
        if (finished) await run.ended
      }
      const found = await digests(join(folder, output))
      for (const [name, digest] of Object.entries(expected))
        if (found[name] !== digest) differences.push(`run ${runs}: ${name} differs`)
      await rm(join(folder, output), { recursive: true })
      report?.(
        `${kills} kills, ${whileWriting} of them while writing, ${runs + 1} runs, ${differences.length} differences`,
      )
    }
    return { kills, whileWriting, runs, differences }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Training {
  readonly kill: () => void
  readonly ended: Promise<unknown>
  readonly hasEnded: () => boolean
}

function startTraining(cache: string, options: Partial<TrainOptions>): Training {
  const child = spawn(process.execPath, ['--import=tsx', main, JSON.stringify(options)], {
    env: { ...process.env, FER_TORCH_CACHE: join(cache, 'cache') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  let ended = false
  const end = new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      ended = true
      if (code === 0 || signal === 'SIGKILL') resolve(code)
      else reject(new Error(`the training process ended with ${code ?? signal}: ${stderr}`))
    })
  })
  end.catch(() => {})
  return { kill: () => child.kill('SIGKILL'), ended: end, hasEnded: () => ended }
}

/** False where the run ended before. */
async function killSoon(run: Training, writing: boolean, after: number, output: string): Promise<boolean> {
  const due = performance.now() + after
  while (!run.hasEnded() && (performance.now() < due || (writing && !isWriting(output))))
    await new Promise((resolve) => setTimeout(resolve, writing ? 0 : 5))
  if (run.hasEnded()) return false
  run.kill()
  await run.ended
  return true
}

const isWriting = (output: string): boolean =>
  ['checkpoint.safetensors', 'best.safetensors', 'last.safetensors', 'log.jsonl'].some((name) =>
    existsSync(join(output, `${name}.tmp`)),
  )

/** Of the weights and their headers, and of what the log says of learning, without its times. */
async function digests(output: string): Promise<Record<string, string>> {
  const hash = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
  const log = (await readFile(join(output, 'log.jsonl'), 'utf8')).trim().split('\n')
  const learned = log.map((line) => {
    const { epoch, loss, validation, best } = JSON.parse(line)
    return JSON.stringify({ epoch, loss, validation, best })
  })
  return {
    best: hash(await readFile(join(output, 'best.safetensors'))),
    last: hash(await readFile(join(output, 'last.safetensors'))),
    log: hash(learned.join('\n')),
  }
}
