import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFolder } from '../native.js'
import type { PeerProgram } from './peer.js'

export const peerNames = ['onnxruntime-node', 'PyTorch'] as const
export type PeerName = (typeof peerNames)[number]

/** Where peers are looked for, where it is not the usual places. */
export interface PeerPlaces {
  /** Folders whose node_modules may have onnxruntime-node. */
  readonly folders?: readonly string[] | undefined
  /** A Python that has torch. */
  readonly python?: string | undefined
}

/** A program, or how to get it. */
export type Found = { readonly program: PeerProgram } | { readonly missing: string }

const script = (name: string): string => join(packageFolder, 'bench', 'peers', name)

export const finders: Readonly<Record<PeerName, (places: PeerPlaces) => Promise<Found>>> = {
  'onnxruntime-node': async ({ folders = [join(packageFolder, 'bench'), process.cwd()] }) => {
    const module = resolveFrom(folders, 'onnxruntime-node')
    if (module === undefined) return { missing: 'get it with `npm install onnxruntime-node`' }
    const args = [script('onnxruntime.mjs'), module]
    return { program: { name: 'onnxruntime-node', command: process.execPath, args } }
  },
  PyTorch: async ({ python }) => {
    const candidates = python === undefined ? usualPythons() : [python]
    for (const command of candidates) {
      if (await hasTorch(command))
        return { program: { name: 'PyTorch', command, args: [script('torch_peer.py')] } }
    }
    const cure = 'get it with `pip install torch`, or name a Python that has it with `--python`'
    return { missing: `none of ${candidates.join(', ')} has torch: ${cure}` }
  },
}

function resolveFrom(folders: readonly string[], name: string): string | undefined {
  for (const folder of folders) {
    try {
      return createRequire(join(folder, 'package.json')).resolve(name)
    } catch {}
  }
  return undefined
}

/** The second is that of this repository's own checks against PyTorch. */
const usualPythons = (): string[] => {
  const own = join(packageFolder, '.cache', 'python', 'bin', 'python')
  const named = process.env.PYTHON
  return [...(named ? [named] : []), ...(existsSync(own) ? [own] : []), 'python3']
}

/** Asked of the finder of modules: to import torch takes seconds. */
async function hasTorch(python: string): Promise<boolean> {
  const code = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'
  return promisify(execFile)(python, ['-c', code]).then(
    () => true,
    () => false,
  )
}
