// Makes the packages that are published, ready to be packed, in .cache/packages: `fer-torch`, and for a target the package
// that brings LibTorch to it.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateLibTorch } from '../libtorch.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const packagesFolder = join(root, '.cache', 'packages')
const { libTorchVersion, packageOf, targetFor, targets } = await import('../../dist/loading/targets.js')

const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const shared = { license: own.license, engines: own.engines }

/** What only a clone needs. */
const { private: _, scripts: __, devDependencies, ava: ___, 'cmake-js': ____, ...published } = own

/** The compiled code, the addon, the model, and what `fer-torch build` makes an addon of elsewhere. */
const contents = [
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'docs',
  'models',
  'bench/peers',
  'dist',
  'native',
  'CMakeLists.txt',
  'cmake',
  'scripts/libtorch.mjs',
  'scripts/release/build.mjs',
]

/** Left out: types have no use for maps to sources that are not shipped; stamps are the build's. */
const isShipped = (path) => !/\.d\.ts\.map$|\.stamp$|_benchmark\.cpp$/.test(path)

/** Makes the package `fer-torch` with the prebuilt addons of `prebuilds`. Resolves with its folder. */
export function makeOwnPackage() {
  const folder = emptied('fer-torch')
  for (const path of contents)
    cpSync(join(root, path), join(folder, path), { recursive: true, filter: isShipped })
  cpSync(join(root, 'prebuilds'), join(folder, 'prebuilds'), { recursive: true })
  const manifest = {
    ...published,
    optionalDependencies: Object.fromEntries(targets.map((target) => [packageOf(target), libTorchVersion])),
    // What `fer-torch build` installs, in the versions that this release was built with.
    buildDependencies: pick(devDependencies, 'cmake-js', 'node-addon-api'),
  }
  writeManifest(folder, manifest)
  return folder
}

/** Makes the package that brings LibTorch to a target, from the LibTorch of this machine. */
export async function makeLibTorchPackage(target) {
  const libTorch = await locateLibTorch()
  const folder = emptied(`libtorch-${target.name}`)
  const notices = join(libTorch, 'licenses')
  if (!existsSync(notices))
    throw new Error(
      `${libTorch} has no folder \`licenses\`: remove it and run \`npm install\`, which fetches it whole`,
    )
  mkdirSync(join(folder, 'lib'))
  for (const library of target.libraries) {
    const file = join(folder, 'lib', library)
    cpSync(join(libTorch, 'lib', library), file, { dereference: true })
    chmodSync(file, 0o644)
    if (target.os === 'linux') run('strip', ['--strip-all', file])
  }
  cpSync(notices, join(folder, 'licenses'), { recursive: true })
  cpSync(join(root, 'scripts', 'release', 'libtorch-readme.md'), join(folder, 'README.md'))
  writeManifest(folder, {
    name: packageOf(target),
    version: libTorchVersion,
    description: `LibTorch ${libTorchVersion} (CPU) for fer-torch on ${target.name}`,
    ...shared,
    license: 'SEE LICENSE IN README.md',
    os: [target.os],
    cpu: [target.cpu],
    ...(target.glibc ? { libc: ['glibc'] } : {}),
    exports: { './package.json': './package.json' },
    // Left unpacked where packages are kept in archives: libraries must be files.
    preferUnplugged: true,
  })
  return folder
}

export const thisTarget = () => {
  const target = targetFor(process.platform, process.arch)
  if (!target) throw new Error(`There is no target ${process.platform}-${process.arch}`)
  return target
}

function emptied(name) {
  const folder = join(packagesFolder, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

const pick = (fields, ...names) => Object.fromEntries(names.map((name) => [name, fields[name]]))

const writeManifest = (folder, manifest) =>
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) throw new Error(`\`${command}\` failed: see its messages above`)
}
