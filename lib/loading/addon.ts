import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { FerError } from '../errors.js'
import { findLibTorch, isPrebuilt, type LibTorch, libTorchVariable } from './libtorch.js'
import { describePlatform } from './platform.js'
import { explain } from './problems.js'
import { libTorchVersion, type Target, targetFor } from './targets.js'

const require = createRequire(import.meta.url)

/** Names an addon to load in place of the package's own, such as the one built for CUDA. */
const addonVariable = 'FER_TORCH_ADDON'

/** The addon without LibTorch that opens LibTorch for the other: native/loader/loader.c. */
interface Loader {
  open(path: string): void
  lacking(): string | undefined
}

export interface Loaded {
  readonly addon: unknown
  readonly path: string
}

/** How far loading came, for saying why it went no further. */
export interface Attempt {
  readonly packageFolder: string
  readonly target?: Target | undefined
  /** Path of the addon. */
  addon?: string | undefined
  libTorch?: LibTorch | undefined
  /** An instruction set that the processor lacks. */
  lacking?: string | undefined
  error?: unknown
}

/** Loads the addon of the package in this folder, and the LibTorch that it needs. ERR_NATIVE_LOAD says why not. */
export function loadAddon(packageFolder: string): Loaded {
  const attempt: Attempt = { packageFolder, target: targetFor(process.platform, process.arch) }
  try {
    return tryLoading(attempt)
  } catch (error) {
    attempt.error = error
    throw new FerError('ERR_NATIVE_LOAD', explain(attempt, describePlatform()), { cause: error })
  }
}

function tryLoading(attempt: Attempt): Loaded {
  const { packageFolder, target } = attempt
  const named = process.env[addonVariable]
  const path: string = named ? resolve(named) : require('node-gyp-build').path(packageFolder)
  attempt.addon = path
  if (target && (isPrebuilt(path) || process.env[libTorchVariable])) openLibTorch(attempt, path, target)
  return { addon: require(path), path }
}

function openLibTorch(attempt: Attempt, addon: string, target: Target): void {
  const loader = require(join(dirname(addon), 'loader', 'loader.node')) as Loader
  attempt.lacking = loader.lacking()
  attempt.libTorch = findLibTorch(attempt.packageFolder, target)
  const { lacking, libTorch } = attempt
  if (lacking || !libTorch || (libTorch.from === 'package' && libTorch.version !== libTorchVersion))
    throw new Error('LibTorch cannot be opened')
  loader.open(join(libTorch.folder, target.entry))
}
