// Builds the addon for NVIDIA GPUs, in build/cuda, against LibTorch for CUDA: `npm run build:cuda`.
//   --architectures 80,90   compute capabilities without the point; 80, 90 and 120
//   --if-changed            what CI does: nothing, in one line, where there is no nvcc or no LibTorch for CUDA, or where
//                           no source that is compiled for GPUs has changed of late
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { locateLibTorch } from './libtorch.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const days = 7
/** That nvcc reads, and what says how. */
const sources = [
  'CMakeLists.txt',
  'cmake',
  'scripts/libtorch.mjs',
  'native/**/*.cu',
  'native/**/*.cuh',
  'native/**/*.h',
]

const { values } = parseArgs({
  options: { architectures: { type: 'string' }, 'if-changed': { type: 'boolean', default: false } },
})

try {
  const reason = values['if-changed'] ? await reasonToSkip() : undefined
  if (reason) console.log(`fer-torch: CUDA build skipped: ${reason}`)
  else await build()
} catch (error) {
  console.error(`fer-torch: ${error.message}`)
  process.exitCode = 1
}

async function build() {
  if (!nvcc())
    throw new Error(
      'nvcc was not found. Install the CUDA toolkit 13, and put its folder `bin` into PATH, or name the compiler in CUDACXX',
    )
  const libTorch = await locateLibTorch('cuda')
  const require = createRequire(import.meta.url)
  const manifest = require.resolve('cmake-js/package.json')
  const program = join(manifest, '..', require(manifest).bin['cmake-js'])
  const settings = [`--CDFER_TORCH_LIBTORCH=${libTorch}`, '--CDFER_TORCH_CUDA=ON']
  if (values.architectures)
    settings.push(`--CDCMAKE_CUDA_ARCHITECTURES=${values.architectures.replaceAll(',', ';')}`)
  const out = join(root, 'build', 'cuda')
  // Alone, `compile` goes on with the settings of an earlier build.
  run('node', [program, 'configure', '--out', out, ...settings])
  run('node', [program, 'compile', '--target', 'fer_torch', '--out', out, ...settings])
  console.log(
    `fer-torch: built ${join(out, 'Release', 'fer_torch.node')}; name it in FER_TORCH_ADDON to use it`,
  )
}

function nvcc() {
  return spawnSync(process.env.CUDACXX ?? 'nvcc', ['--version']).status === 0
}

async function reasonToSkip() {
  if (!nvcc()) return 'there is no nvcc here'
  const log = ['log', '-1', `--since=${days} days ago`, '--format=%h', '--', ...sources.map(glob)]
  const { status, stdout } = spawnSync('git', log, { cwd: root, encoding: 'utf8' })
  if (status === 0 && stdout === '') return `no source of it has changed in ${days} days`
  return locateLibTorch('cuda').then(
    () => undefined,
    (error) => error.message.split('\n')[0],
  )
}

function glob(pattern) {
  return `:(glob)${pattern.includes('.') ? pattern : `${pattern}/**`}`
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) throw new Error('the build failed: see its messages above')
}
