// Publishes what the jobs of a release built, from .cache/built/TARGET: the packages of LibTorch first, unless the registry
// has their version already, then `fer-torch` with the addons of all targets. With --dry-run, nothing leaves the machine.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeOwnPackage } from './packages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { libTorchVersion, packageOf, targets } = await import('../../dist/loading/targets.js')
const dry = process.argv.includes('--dry-run')

for (const target of targets) {
  const built = join(root, '.cache', 'built', target.name)
  if (!existsSync(built)) throw new Error(`${built} is missing: the job of ${target.name} left nothing`)
  cpSync(join(built, 'prebuilds'), join(root, 'prebuilds'), { recursive: true })
  if (isPublished(packageOf(target))) continue
  const folder = join(built, '.cache', 'packages')
  const tarball = readdirSync(folder).find((name) => name.startsWith('fer-torch-libtorch-'))
  publish(join(folder, tarball))
}
publish(makeOwnPackage())

function isPublished(name) {
  const { status } = spawnSync('npm', ['view', `${name}@${libTorchVersion}`, 'version'], { encoding: 'utf8' })
  return status === 0
}

function publish(what) {
  const flags = ['--access', 'public', '--ignore-scripts', ...(dry ? ['--dry-run'] : ['--provenance'])]
  execFileSync('npm', ['publish', what, ...flags], { stdio: 'inherit' })
}
