// Finds the LibTorch this package is built against, or fetches it: see `sources` for the order.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The versions that the code is built and tested against. */
export const builds = {
  cpu: {
    name: 'CPU',
    version: '2.13.0',
    requirement: 'torch==2.13.0+cpu',
    index: 'https://download.pytorch.org/whl/cpu',
    archive: 'https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-2.13.0%2Bcpu.zip',
    size: 'about 190 MB',
    setting: 'npm install',
  },
  // What the package index has under this version is the build for CUDA 13.
  cuda: {
    name: 'CUDA',
    version: '2.14.1',
    requirement: 'torch==2.14.1',
    size: 'about 560 MB',
    setting: 'npm run build:cuda',
  },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, '.cache')
const cachedOf = (kind) => join(cache, `libtorch-${builds[kind].version}-${kind}`)
const say = (text) => console.log(`fer-torch: ${text}`)

/** Where LibTorch may be, in the order tried. `find` returns a folder, or throws why there is none. */
const sources = [
  { name: 'the folder in FER_TORCH_LIBTORCH', find: fromEnvironment },
  { name: 'the cache, .cache', find: fromCache },
  { name: 'an installed Python torch', find: fromPython },
  { name: 'pip download', find: fromPip },
  { name: 'the official archive', find: fromArchive },
]

/** The folder of LibTorch for the CPU, or of the one for CUDA. */
export async function locateLibTorch(kind = 'cpu') {
  const tried = []
  for (const source of sources) {
    try {
      const folder = await source.find(kind)
      check(folder, kind)
      return folder
    } catch (error) {
      tried.push(`  ${source.name}: ${error.message}`)
      if (error.final) break
    }
  }
  throw new Error(
    `LibTorch ${builds[kind].version} (${builds[kind].name}) was not found. Tried, in order:\n${tried.join('\n')}\n` +
      'Cure: unpack that LibTorch anywhere and run\n' +
      `  FER_TORCH_LIBTORCH=/path/to/libtorch ${builds[kind].setting}`,
  )
}

/** Throws unless `folder` holds the pinned version with all that a build needs. */
function check(folder, kind) {
  const needed = [
    'include/torch/headeronly/version.h',
    'include/ATen/ATen.h',
    'share/cmake/Torch/TorchConfig.cmake',
    ...(process.platform === 'linux' ? ['lib/libtorch_cpu.so', 'lib/libc10.so'] : []),
    ...(kind === 'cuda' ? ['include/c10/cuda/CUDAStream.h', 'lib/libtorch_cuda.so'] : []),
  ]
  const missing = needed.find((file) => !existsSync(join(folder, file)))
  if (missing) throw new Error(`${folder} has no ${missing}`)
  if (kind === 'cpu' && existsSync(join(folder, 'lib/libtorch_cuda.so'))) {
    throw new Error(`${folder} is a CUDA build, which needs the CUDA toolkit; the CPU build is wanted`)
  }
  const header = readFileSync(join(folder, needed[0]), 'utf8')
  const found = header.match(/define TORCH_VERSION \\?\s*"([^"]+)"/)?.[1]
  if (found !== builds[kind].version)
    throw new Error(`${folder} holds version ${found}, not ${builds[kind].version}`)
}

function fromEnvironment(kind) {
  const folder = process.env.FER_TORCH_LIBTORCH
  if (!folder) throw new Error('not set')
  try {
    check(resolve(folder), kind)
  } catch (error) {
    // Somebody named this folder: to go on with another would hide the mistake.
    throw Object.assign(error, { final: true })
  }
  return resolve(folder)
}

function fromCache(kind) {
  if (!existsSync(cachedOf(kind))) throw new Error('empty')
  return cachedOf(kind)
}

const python = () => process.env.PYTHON ?? 'python3'

function fromPython() {
  const code =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")'
  const folder = spawnSync(python(), ['-c', code], { encoding: 'utf8' }).stdout?.trim()
  if (!folder) throw new Error('none')
  return folder
}

/** The wheel is LibTorch with Python files beside it; any one Python version's will do. */
function fromPip(kind) {
  const platform = { x64: 'manylinux_2_28_x86_64', arm64: 'manylinux_2_28_aarch64' }[process.arch]
  if (process.platform !== 'linux' || !platform)
    throw new Error(`no wheel is known for ${process.platform}-${process.arch}`)
  const { name, version, requirement, size, index } = builds[kind]
  say(`fetching LibTorch ${version} (${name}, ${size}) with pip`)
  const download = join(cache, 'download')
  mkdirSync(download, { recursive: true })
  const pip = (...more) =>
    spawnSync(
      python(),
      [
        '-m',
        'pip',
        'download',
        requirement,
        '--no-deps',
        '--retries',
        '0',
        '--quiet',
        '--dest',
        download,
        '--only-binary',
        ':all:',
        '--platform',
        platform,
        '--python-version',
        '3.11',
        '--implementation',
        'cp',
        ...more,
      ],
      { encoding: 'utf8' },
    )
  let result = pip()
  if (result.status !== 0 && index) result = pip('--extra-index-url', index)
  if (result.status !== 0) throw new Error(firstError(result.stderr) ?? result.error?.message ?? 'pip failed')
  const wheel = readdirSync(download).find((file) => file.endsWith('.whl'))
  return unpack(join(download, wheel), 'torch', kind)
}

async function fromArchive(kind) {
  const url = builds[kind].archive
  if (!url || process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('known only for the CPU of linux-x64')
  say(`fetching ${url}`)
  const { Readable } = await import('node:stream')
  const { pipeline } = await import('node:stream/promises')
  const { createWriteStream } = await import('node:fs')
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  mkdirSync(join(cache, 'download'), { recursive: true })
  const file = join(cache, 'download', 'libtorch.zip')
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file))
  return unpack(file, 'libtorch', kind)
}

/** Moves `folder` of a zip into the cache in one rename, so that a killed unpacking leaves nothing half done. */
function unpack(archive, folder, kind) {
  say('unpacking LibTorch into .cache')
  const partial = join(cache, 'partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  execFileSync('cmake', ['-E', 'tar', 'xf', archive], { cwd: partial })
  const keep = new Set(['include', 'lib', 'share'])
  for (const entry of readdirSync(join(partial, folder))) {
    if (!keep.has(entry)) rmSync(join(partial, folder, entry), { recursive: true })
  }
  check(join(partial, folder), kind)
  // The wheel keeps the licences beside it.
  const notices = readdirSync(partial).find((entry) => entry.endsWith('.dist-info'))
  if (notices) renameSync(join(partial, notices, 'licenses'), join(partial, folder, 'licenses'))
  const cached = cachedOf(kind)
  rmSync(cached, { recursive: true, force: true })
  renameSync(join(partial, folder), cached)
  rmSync(partial, { recursive: true, force: true })
  rmSync(join(cache, 'download'), { recursive: true, force: true })
  return cached
}

const firstError = (text) => text?.split('\n').find((line) => line.startsWith('ERROR'))
