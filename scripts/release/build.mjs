// What `fer-torch build` runs: builds the addon of an installed package from the sources it ships. The tools are fetched
// into a folder of their own, so that the application's dependencies stay as they are.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateLibTorch } from '../libtorch.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tools = join(root, 'build', 'tools')

try {
  await build()
} catch (error) {
  console.error(`fer-torch: ${error.message}`)
  process.exitCode = 1
}

async function build() {
  const { buildDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (!buildDependencies) throw new Error(`${root} is a clone: \`npm install\` there builds the addon`)
  requireWritable()
  const libTorch = await locateLibTorch()
  mkdirSync(tools, { recursive: true })
  writeFileSync(join(tools, 'package.json'), '{ "private": true }\n')
  const wanted = Object.entries(buildDependencies).map(([name, range]) => `${name}@${range}`)
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', tools, ...wanted])
  const require = createRequire(join(tools, 'package.json'))
  const manifest = require.resolve('cmake-js/package.json')
  const program = join(manifest, '..', require(manifest).bin['cmake-js'])
  const setting = `--CDFER_TORCH_LIBTORCH=${libTorch}`
  // Alone, `compile` goes on with the LibTorch of an earlier build.
  run('node', [program, 'configure', setting])
  run('node', [program, 'compile', '--target', 'fer_torch', setting])
  console.log(`fer-torch: built ${join(root, 'build', 'Release', 'fer_torch.node')}`)
}

function requireWritable() {
  try {
    accessSync(root, constants.W_OK)
  } catch {
    throw new Error(`${root} cannot be written, where the addon would be built`)
  }
}

function run(command, args) {
  // CMakeLists.txt asks Node for the headers.
  const env = { ...process.env, NODE_PATH: join(tools, 'node_modules') }
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error) throw error
  if (status !== 0) throw new Error(`\`${command}\` failed: see its messages above`)
}
