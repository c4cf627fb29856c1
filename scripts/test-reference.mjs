// Holds this package against PyTorch in Python: `npm run test:reference`. The reference (test/reference/reference.py)
// writes checkpoints as the official ARM code and torchvision name them, and the logits it computes itself.
// Needs a Python with torch: that of the environment variable PYTHON, or one made in .cache with pip.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builds } from './libtorch.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, '.cache')
const output = join(cache, 'reference')

const python = findPython()
if (!existsSync(join(output, 'reference.json'))) {
  console.log('fer-torch: computing the reference in PyTorch, about a minute')
  if (run(python, [join(root, 'test/reference/reference.py'), output]) !== 0) {
    rmSync(output, { recursive: true, force: true })
    process.exit(1)
  }
}
process.exitCode = run('npx', ['ava', 'test/reference/reference.test.ts'])

function findPython() {
  const given = process.env.PYTHON ?? 'python3'
  if (hasTorch(given)) return given
  const made = join(cache, 'python', 'bin', 'python')
  if (hasTorch(made)) return made
  console.log('fer-torch: installing torch for Python into .cache/python')
  const pip = (...index) =>
    run(made, ['-m', 'pip', 'install', '--quiet', '--retries', '0', builds.cpu.requirement, ...index])
  if (run(given, ['-m', 'venv', join(cache, 'python')]) !== 0) process.exit(1)
  if (pip() !== 0 && pip('--extra-index-url', 'https://download.pytorch.org/whl/cpu') !== 0) process.exit(1)
  return made
}

function hasTorch(command) {
  return spawnSync(command, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
}

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1
}
