import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { exitCodes } from './output.js'

const examples = `
Examples:
  $ fer-torch build
  $ FER_TORCH_LIBTORCH=/opt/libtorch fer-torch build

For systems without a prebuilt addon: builds it where the package is installed. Takes CMake 3.22, a C++20 compiler, some
minutes, and the network for LibTorch, unless FER_TORCH_LIBTORCH names one, and for the tools.`

export function addBuild(program: Command): void {
  const command = program.command('build').description('build the addon from source, where none is prebuilt')
  command.addHelpText('after', examples).action(runBuild)
}

function runBuild(): void {
  const script = fileURLToPath(new URL('../../scripts/release/build.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = exitCodes.failure
}
