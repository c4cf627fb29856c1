// Makes a clone ready: finds LibTorch, builds the addon, compiles the TypeScript. Each step is skipped
// when nothing it reads has changed, so that a second run takes no time and needs no network.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateLibTorch } from './libtorch.mjs'
import { writeCommonJs } from './release/commonjs.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

await main()

async function main() {
  try {
    await buildAddon()
    compileTypeScript()
  } catch (error) {
    console.error(`fer-torch: ${error.message}`)
    process.exitCode = 1
  }
}

async function buildAddon() {
  const inputs = [
    'CMakeLists.txt',
    'native',
    'scripts/libtorch.mjs',
    'node_modules/node-addon-api/package.json',
  ]
  const libTorch = await locateLibTorch()
  step('build/addon.stamp', 'build/Release/fer_torch.node', inputs, libTorch, () => {
    console.log(`fer-torch: building the addon against ${libTorch}`)
    const program = programOf('cmake-js', 'cmake-js')
    const setting = `--CDFER_TORCH_LIBTORCH=${libTorch}`
    // Alone, `compile` goes on with the LibTorch of an earlier build.
    run('node', [program, 'configure', setting])
    run('node', [program, 'compile', '--target', 'fer_torch', setting])
  })
}

function compileTypeScript() {
  step('dist/.stamp', 'dist/index.js', ['lib', 'tsconfig.json', 'scripts/release/commonjs.mjs'], '', () => {
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    run('node', [programOf('typescript', 'tsc'), '-p', root])
    writeCommonJs()
    // npx runs it where it lies; npm sets the mode only where it installs the package.
    chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755)
  })
}

/** Runs `make` unless `output` exists and the stamp says it was made from these very inputs. */
function step(stamp, output, inputs, salt, make) {
  const stampFile = join(root, stamp)
  const fingerprint = digest(inputs, salt)
  const current = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : ''
  if (current === fingerprint && existsSync(join(root, output))) return
  make()
  mkdirSync(join(stampFile, '..'), { recursive: true })
  writeFileSync(stampFile, fingerprint)
}

function digest(inputs, salt) {
  const hash = createHash('sha256').update(salt).update(process.version)
  for (const file of inputs.flatMap(filesUnder))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function filesUnder(path) {
  const entries = readdirSync(join(root, path, '..'), { withFileTypes: true })
  const self = entries.find((entry) => join(path, '..', entry.name) === path)
  if (!self) return []
  if (!self.isDirectory()) return [path]
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesUnder(join(path, name)))
}

/** The file of a program that a dependency brings. */
function programOf(dependency, name) {
  const manifest = require.resolve(`${dependency}/package.json`)
  return join(manifest, '..', require(manifest).bin[name])
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed: see its messages above`)
}
