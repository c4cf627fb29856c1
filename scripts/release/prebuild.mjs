// Puts the addon of the build into `prebuilds`, in the layout that node-gyp-build looks for: stripped, and without the
// run path that leads to this machine's LibTorch.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export function makePrebuild() {
  const staging = join(root, '.cache', 'prebuild')
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  for (const each of [staging, folder]) rmSync(each, { recursive: true, force: true })
  const install = ['--install', join(root, 'build'), '--component', 'addon', '--strip', '--prefix', staging]
  const { status, error, stdout, stderr } = spawnSync('cmake', install, { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`cmake could not install the addon:\n${stdout}${stderr}`)
  mkdirSync(join(folder, 'loader'), { recursive: true })
  cpSync(join(staging, 'fer_torch.node'), join(folder, 'fer-torch.node'))
  cpSync(join(staging, 'loader', 'loader.node'), join(folder, 'loader', 'loader.node'))
  return folder
}
