import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { packageOf, type Target } from './targets.js'

export const libTorchVariable = 'FER_TORCH_LIBTORCH'

/** A LibTorch to be opened before the addon; an addon built on this machine finds its own. */
export interface LibTorch {
  /** That holds the libraries. */
  readonly folder: string
  readonly from: typeof libTorchVariable | 'package'
  /** Of the package. */
  readonly version?: string
}

/** Undefined where there is none to be opened; whether it is all right is for the opening to say. */
export function findLibTorch(packageFolder: string, target: Target): LibTorch | undefined {
  const named = process.env[libTorchVariable]
  if (named) return { folder: librariesIn(resolve(named), target), from: libTorchVariable }
  try {
    const manifest = createRequire(join(packageFolder, 'package.json')).resolve(
      `${packageOf(target)}/package.json`,
    )
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
    return { folder: join(dirname(manifest), 'lib'), from: 'package', version }
  } catch {
    return undefined
  }
}

/** LibTorch's own folder has them in `lib`. */
const librariesIn = (folder: string, { entry }: Target): string =>
  existsSync(join(folder, 'lib', entry)) ? join(folder, 'lib') : folder

/** Whether the addon was shipped, rather than built on this machine against a LibTorch that it knows. */
export const isPrebuilt = (addon: string): boolean => addon.includes(`${sep}prebuilds${sep}`)
