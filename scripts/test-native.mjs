// Builds and runs the engine's own tests, one plain executable on GoogleTest. Arguments go to it, such as
// --gtest_filter='DeAlbino*'. With --sanitize first, the engine is built anew in .cache/sanitize under the address and
// undefined-behaviour sanitizers; without, from the objects of the addon's build.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateLibTorch } from './libtorch.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [first, ...rest] = process.argv.slice(2)
const sanitize = first === '--sanitize'
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
if (run('cmake', ['-S', root, '-B', build, ...settings]) !== 0) {
  fail('GoogleTest is needed (Debian, Ubuntu: apt-get install libgtest-dev)')
}
if (run('cmake', ['--build', build, '--parallel', '--target', 'native_tests']) !== 0)
  fail('the tests do not build')
// What is slow under sanitizers runs there in its smaller form alone: ResNet-34 is ResNet-18's code, and long training is
// short training again.
const tests = !sanitize
  ? process.argv.slice(2)
  : rest.length > 0
    ? rest
    : ['--gtest_filter=-*resnet34*:*LossCurve*']
process.exitCode = run(join(build, 'tests', 'native_tests'), tests)

function run(command, args) {
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
}

function fail(why) {
  console.error(`fer-torch: ${why}`)
  process.exit(1)
}
