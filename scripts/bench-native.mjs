// Builds and runs the operators' own benchmarks, one executable on Google Benchmark: `npm run bench:native`. Arguments
// go to it, such as --benchmark_filter='DeAlbino.*'. From the objects of the addon's build.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Else make would begin every file at once, which takes a gigabyte each.
const jobs = String(availableParallelism())
const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')

if (!existsSync(join(build, 'CMakeCache.txt'))) fail('there is no build yet: run `npm install` first')
if (run('cmake', ['-S', root, '-B', build, '-DFER_TORCH_BENCHMARKS=ON']) !== 0) {
  fail('Google Benchmark is needed (Debian, Ubuntu: apt-get install libbenchmark-dev)')
}
if (run('cmake', ['--build', build, '--parallel', jobs, '--target', 'native_benchmarks']) !== 0)
  fail('the benchmarks do not build')
process.exitCode = run(join(build, 'bench', 'native_benchmarks'), process.argv.slice(2))

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1
}

function fail(why) {
  console.error(`fer-torch: ${why}`)
  process.exit(1)
}
