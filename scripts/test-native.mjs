// Builds and runs the engine's own tests, one plain executable on GoogleTest. Arguments go to it, such as
// --gtest_filter='DeAlbino*'. With --sanitize first, the engine is built anew in .cache/sanitize under the address and
// undefined-behaviour sanitizers; without, from the objects of the addon's build. With --kernels first, only those of the
// kernels of GPUs, run on the host: the end of `npm test`, which says so where there is no GoogleTest, and goes on.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateLibTorch } from './libtorch.mjs'

// Else make would begin every file at once, which takes a gigabyte each.
const jobs = String(availableParallelism())
const root = fileURLToPath(new URL('..', import.meta.url))
const [first, ...rest] = process.argv.slice(2)
const sanitize = first === '--sanitize'
const kernels = first === '--kernels'
const target = kernels ? 'kernel_tests' : 'native_tests'
const build = sanitize ? join(root, '.cache', 'sanitize') : join(root, 'build')
const settings = ['-DFER_TORCH_TESTS=ON']
if (sanitize) settings.push('-DFER_TORCH_SANITIZE=ON', `-DFER_TORCH_LIBTORCH=${await locateLibTorch()}`)
// LibTorch keeps what it allocates for its tables until the process ends.
const env = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=0:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}

if (!sanitize && !existsSync(join(build, 'CMakeCache.txt')))
  fail('there is no build yet: run `npm install` first')
if (run('cmake', ['-S', root, '-B', build, ...settings]) !== 0) fail('the build cannot be made ready')
if (
  !/^FER_TORCH_HAS_GOOGLETEST:INTERNAL=(1|ON|TRUE)$/m.test(
    readFileSync(join(build, 'CMakeCache.txt'), 'utf8'),
  )
) {
  const needed = 'GoogleTest is needed (Debian, Ubuntu: apt-get install libgtest-dev)'
  if (!kernels) fail(needed)
  console.log(`fer-torch: kernels of GPUs not tested: ${needed}`)
  process.exit(0)
}
if (run('cmake', ['--build', build, '--parallel', jobs, '--target', target]) !== 0)
  fail('the tests do not build')
// What is slow under sanitizers runs there in its smaller form alone: ResNet-34 is ResNet-18's code, and long training is
// short training again.
const given = sanitize || kernels ? rest : process.argv.slice(2)
const tests = sanitize && given.length === 0 ? ['--gtest_filter=-*resnet34*:*LossCurve*'] : given
process.exitCode = run(join(build, 'tests', target), tests)

function run(command, args) {
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
}

function fail(why) {
  console.error(`fer-torch: ${why}`)
  process.exit(1)
}
