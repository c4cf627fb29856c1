import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { cacheFolder } from '../images/cache.js'
import { describePlatform, type Platform } from '../loading/platform.js'
import type { Description } from '../native.js'
import { version } from '../version.js'
import { jsonFlag } from './flags.js'
import { complain, exitCodes, print, printJson } from './output.js'
import { bytes, facts } from './table.js'

/** Those that decide how fast a model is. */
const features = ['avx2', 'avx512_f', 'avx512_bf16', 'amx_bf16', 'avx512_vnni'] as const

interface Diagnosis {
  readonly ferTorch: string
  readonly node: string
  readonly platform: string
  /** Of Linux: the C library and its version. */
  readonly libc: string | null
  readonly nodeApi: number
  readonly addon: string | null
  /** Why the addon was not loaded. */
  readonly problem?: string
  /** `folder` is the one that the running process has it from, where the system tells. */
  readonly libTorch: { readonly version: string; readonly folder: string | null } | null
  readonly threads: number | null
  readonly instructions: string | null
  readonly autoPrecision: string | null
  readonly processor: Readonly<Record<string, boolean | string>>
  readonly devices: readonly string[]
  readonly cache: { readonly folder: string; readonly bytes: number }
}

const examples = `
Examples:
  $ fer-torch doctor
  $ fer-torch doctor --json

The exit code is 1 where the addon cannot be loaded; the reason is then among the lines.`

export function addDoctor(program: Command): void {
  const command = program.command('doctor').description('say what was loaded from where, and what is missing')
  command.addOption(jsonFlag()).addHelpText('after', examples).action(runDoctor)
}

async function runDoctor({ json }: { readonly json?: true }): Promise<void> {
  const diagnosis = await diagnose()
  if (json) printJson(diagnosis)
  else print(describe(diagnosis))
  if (diagnosis.problem === undefined) return
  complain(diagnosis.problem)
  process.exitCode = exitCodes.failure
}

async function diagnose(): Promise<Diagnosis> {
  return {
    ferTorch: version,
    node: process.version,
    ...systemOf(describePlatform()),
    ...(await diagnoseAddon()),
    cache: { folder: cacheFolder(), bytes: await sizeOf(cacheFolder()) },
  }
}

const systemOf = ({ os, cpu, libc, glibc, nodeApi }: Platform) => ({
  platform: `${os}-${cpu}`,
  libc: libc ? [libc, glibc].filter(Boolean).join(' ') : null,
  nodeApi,
})

type Engine = Omit<Diagnosis, 'ferTorch' | 'node' | 'platform' | 'libc' | 'nodeApi' | 'cache'>

async function diagnoseAddon(): Promise<Engine> {
  try {
    const { addonPath, native } = await import('../native.js')
    return engineOf(addonPath, native.describe(), await loadedFolder())
  } catch (error) {
    const nothing = { libTorch: null, threads: null, instructions: null, autoPrecision: null }
    return { addon: null, problem: (error as Error).message, ...nothing, processor: {}, devices: [] }
  }
}

function engineOf(addon: string, description: Description, folder: string | null): Engine {
  const { libTorch, threads, instructions, autoPrecision, processor, gpus } = description
  const known = Object.fromEntries(features.map((name) => [name, processor[name] ?? false]))
  return {
    addon,
    libTorch: { version: libTorch, folder },
    threads,
    instructions,
    autoPrecision,
    processor: { name: processor.cpu_name ?? 'unknown', ...known },
    devices: ['cpu', ...gpus.map(({ name }, index) => `cuda:${index} (${name})`)],
  }
}

/** Asked of the system, not of the build: another LibTorch may have come first in the search path. */
async function loadedFolder(): Promise<string | null> {
  const maps = await readFile('/proc/self/maps', 'utf8').catch(() => '')
  const path = /\S*\/libtorch_cpu\.so.*$/m.exec(maps)?.[0]
  return path === undefined ? null : dirname(path)
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = entries.map(async (entry) => {
    const found = await stat(join(folder, entry)).catch(() => undefined)
    return found?.isFile() ? found.size : 0
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function describe({ libTorch, processor, cache, ...diagnosis }: Diagnosis): string {
  const present = features.filter((name) => processor[name])
  const entries = {
    'fer-torch': diagnosis.ferTorch,
    Node: `${diagnosis.node} on ${diagnosis.platform}, Node-API ${diagnosis.nodeApi}`,
    'C library': diagnosis.libc,
    addon: diagnosis.addon ?? 'not loaded',
    LibTorch: libTorch && `${libTorch.version} from ${libTorch.folder ?? 'an unknown folder'}`,
    threads: diagnosis.threads,
    instructions: diagnosis.instructions,
    'precision auto': diagnosis.autoPrecision,
    processor: libTorch && [processor.name, ...present].join(', '),
    devices: diagnosis.devices.join(', ') || null,
    cache: `${cache.folder} (${bytes(cache.bytes)})`,
  }
  return facts(Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null)))
}
