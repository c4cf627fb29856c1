// Builds and runs the engine's own tests, one plain executable on GoogleTest, from the objects of the addon's build.
// Arguments go to it, such as --gtest_filter='DeAlbino*'.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')

if (!existsSync(join(build, 'CMakeCache.txt'))) fail('there is no build yet: run `npm install` first')
if (run('cmake', ['-S', root, '-B', build, '-DFER_TORCH_TESTS=ON']) !== 0) {
  fail('GoogleTest is needed (Debian, Ubuntu: apt-get install libgtest-dev)')
}
if (run('cmake', ['--build', build, '--target', 'native_tests']) !== 0) fail('the tests do not build')
process.exitCode = run(join(build, 'tests', 'native_tests'), process.argv.slice(2))

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1
}

function fail(why) {
  console.error(`fer-torch: ${why}`)
  process.exit(1)
}
