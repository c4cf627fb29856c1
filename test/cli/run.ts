import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

export interface Place {
  /** The checkout, or a copy of it. */
  readonly root?: string
  readonly env?: Readonly<Record<string, string>>
  /** Sees the process and what it has written to stderr so far, at every piece. */
  readonly onStderr?: (soFar: string, child: ChildProcess) => void
}

const checkout = fileURLToPath(new URL('../..', import.meta.url))

// Ava starts all tests of a file at once: as many processes, each with LibTorch, would be too many for the memory.
const places = 2
let taken = 0
const waiting: (() => void)[] = []

/** Runs the command line in a process of its own, with both streams piped; at most two at once. */
export async function run(args: readonly string[], place: Place = {}): Promise<Ended> {
  if (taken === places) await new Promise<void>((resolve) => waiting.push(resolve))
  else taken++
  try {
    return await spawned(args, place)
  } finally {
    const next = waiting.shift()
    if (next) next()
    else taken--
  }
}

function spawned(args: readonly string[], { root = checkout, env, onStderr }: Place): Promise<Ended> {
  const main = join(root, 'lib/cli/main.ts')
  const child = spawn(process.execPath, ['--import=tsx', main, ...args], {
    cwd: root,
    env: { ...process.env, FER_TORCH_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => {
    stdout += piece
  })
  child.stderr.on('data', (piece) => {
    stderr += piece
    onStderr?.(stderr, child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ stdout, stderr, code }))
  })
}

export const commands = [
  'demo',
  'train',
  'compare',
  'evaluate',
  'robustness',
  'predict',
  'explain',
  'calibrate',
  'quantize',
  'export',
  'inspect',
  'bench',
  'doctor',
  'build',
] as const

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'fer-torch-cli-'))

export const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

/** The package as it is where nothing was built: no addon anywhere. */
export async function packageWithoutAddon(): Promise<string> {
  const root = await temporaryFolder()
  for (const part of ['lib', 'package.json'])
    await cp(join(checkout, part), join(root, part), { recursive: true })
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'))
  return root
}
