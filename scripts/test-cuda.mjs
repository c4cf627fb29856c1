// Runs on a GPU what only a GPU can show, with the addon that `npm run build:cuda` built: the engine's tests named Cuda,
// and those of test/cuda.test.ts. Without a GPU every one of them is skipped, and says so.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Else make would begin every file at once, which takes a gigabyte each.
const jobs = String(availableParallelism())
const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build', 'cuda')
const addon = join(build, 'Release', 'fer_torch.node')

if (!existsSync(addon)) fail('there is no addon for CUDA yet: run `npm run build:cuda` first')
if (run('cmake', ['-S', root, '-B', build, '-DFER_TORCH_TESTS=ON']) !== 0)
  fail('the build cannot be made ready')
if (run('cmake', ['--build', build, '--parallel', jobs, '--target', 'native_tests']) !== 0)
  fail('the tests do not build, which needs GoogleTest (Debian, Ubuntu: apt-get install libgtest-dev)')
const native = run(join(build, 'tests', 'native_tests'), ['--gtest_filter=Cuda*'])
const calls = run('npx', ['ava', 'test/cuda.test.ts'], { FER_TORCH_ADDON: addon })
process.exitCode = native || calls

function run(command, args, more = {}) {
  return (
    spawnSync(command, args, { cwd: root, env: { ...process.env, ...more }, stdio: 'inherit' }).status ?? 1
  )
}

function fail(why) {
  console.error(`fer-torch: ${why}`)
  process.exit(1)
}
