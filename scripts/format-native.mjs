// Checks that C++ is laid out as .clang-format says, or with --write lays it out.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { stdout } = spawnSync('git', ['ls-files', '*.h', '*.cpp', '*.cu', '*.cuh'], {
  cwd: root,
  encoding: 'utf8',
})
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror']
const { status, error } = spawnSync('clang-format', [...mode, ...stdout.trim().split('\n')], {
  cwd: root,
  stdio: 'inherit',
})

if (error?.code === 'ENOENT') console.log('C++ layout: not checked, clang-format is not installed')
else process.exitCode = status ?? 1
