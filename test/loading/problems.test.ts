import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Attempt } from '../../lib/loading/addon.js'
import { describePlatform, type Platform } from '../../lib/loading/platform.js'
import { explain } from '../../lib/loading/problems.js'
import { libTorchVersion, targetFor, targets } from '../../lib/loading/targets.js'

const target = targetFor('linux', 'x64')!
const good: Platform = { os: 'linux', cpu: 'x64', libc: 'glibc', glibc: '2.36', node: '20.20.2', nodeApi: 9 }

let place: string // holds an application that has fer-torch installed
let installed: string
test.before(async () => {
  place = await mkdtemp(join(tmpdir(), 'fer-torch-loading-'))
  installed = join(place, 'node_modules', 'fer-torch')
  await mkdir(installed, { recursive: true })
  await writeFile(join(installed, 'package.json'), '{}')
})
test.after.always(() => rm(place, { recursive: true, force: true }))

/** Installed as it should be, but for what is given. */
const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  packageFolder: installed,
  target,
  addon: join(installed, 'prebuilds', 'linux-x64', 'fer-torch.node'),
  libTorch: {
    folder: join(place, 'node_modules/@fer-torch/libtorch-linux-x64/lib'),
    from: 'package',
    version: libTorchVersion,
  },
  ...changes,
})

const name = '@fer-torch/libtorch-linux-x64'

const cases: Readonly<Record<string, [() => Partial<Attempt>, Partial<Platform>, RegExp, RegExp]>> = {
  'a bundler': [
    () => ({ packageFolder: join(place, 'dist') }),
    {},
    /there is no package in .*dist: a bundler/,
    /--external:fer-torch/,
  ],
  'an archive of Electron': [
    () => ({ addon: '/app/resources/app.asar/node_modules/fer-torch/prebuilds/linux-x64/fer-torch.node' }),
    { electron: '38.0.0' },
    /Electron 38\.0\.0 has packed .*app\.asar/,
    /`asarUnpack`/,
  ],
  musl: [() => ({}), { libc: 'musl' }, /is musl, as in Alpine/, /node:22-slim in place of node:22-alpine/],
  'a system that nothing is built for': [
    () => ({ target: undefined, addon: undefined }),
    { os: 'freebsd' },
    /this is freebsd-x64, and it is made for linux-x64, linux-arm64, darwin-arm64, win32-x64/,
    /`npx fer-torch build`/,
  ],
  'an old C library': [
    () => ({}),
    { glibc: '2.17' },
    /has glibc 2\.17, and LibTorch needs 2\.28/,
    /newer system/,
  ],
  'an old Node': [
    () => ({}),
    { node: '12.9.0', nodeApi: 5 },
    /Node 12\.9\.0 has version 5 of Node-API/,
    /Node 20/,
  ],
  'a package without its addon': [
    () => ({ addon: undefined }),
    {},
    /there is none for linux-x64 in .*fer-torch/,
    /`npx fer-torch build`/,
  ],
  'a variable that names nothing': [
    () => ({ libTorch: { folder: '/nowhere', from: 'FER_TORCH_LIBTORCH' } }),
    {},
    /FER_TORCH_LIBTORCH names \/nowhere, which holds no libtorch\.so/,
    /unset the variable/,
  ],
  'an old processor': [() => ({ lacking: 'SSE4.2' }), {}, /this processor lacks SSE4\.2/, /since 2013/],
  'optional dependencies left out': [
    () => ({ libTorch: undefined }),
    {},
    /the package @fer-torch\/libtorch-linux-x64, which brings LibTorch, is missing/,
    /`npm install --include=optional`/,
  ],
  'another LibTorch': [
    () => ({ libTorch: { folder: '/x', from: 'package', version: '2.12.0' } }),
    {},
    new RegExp(`is of version 2\\.12\\.0, and ${libTorchVersion} is needed`),
    new RegExp(`npm install ${name}@${libTorchVersion}`),
  ],
  'C++ libraries older than those of the machine that built the addon': [
    () => ({
      error: new Error(
        "/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /x/fer-torch.node)",
      ),
    }),
    { glibc: '2.31' },
    /it needs GLIBCXX_3\.4\.30, and this system has glibc 2\.31/,
    /newer system.*`npx fer-torch build`/,
  ],
  'a LibTorch that does not open': [
    () => ({ error: new Error('libtorch.so: file too short') }),
    {},
    /the system says: libtorch\.so: file too short/,
    /install it anew/,
  ],
  'an addon that was built here': [
    () => ({
      addon: join(installed, 'build', 'Release', 'fer_torch.node'),
      libTorch: undefined,
      error: new Error('libc10.so: cannot open shared object file\nmore'),
    }),
    {},
    /was built on this machine, and the system says: libc10\.so: cannot open shared object file\./,
    /`npm run build`/,
  ],
}

for (const [title, [changes, platform, found, cure]] of Object.entries(cases)) {
  test(`${title}: one paragraph says what was found and what to do`, (t) => {
    const text = explain(attempt(changes()), { ...good, ...platform })
    t.regex(text, found)
    t.regex(text, cure)
    t.regex(text, /^fer-torch cannot load its addon/)
    t.notRegex(text, /\n|undefined|\[object/)
    t.true(text.length < 700, text)
  })
}

test('a lockfile of another system is named as the reason, and only where it is', async (t) => {
  const lock = join(place, 'package-lock.json')
  t.teardown(() => rm(lock, { force: true }))
  await writeFile(lock, '{ "packages": { "node_modules/fer-torch": {} } }')
  t.regex(
    explain(attempt({ libTorch: undefined }), good),
    /package-lock\.json does not list it.*npm\/cli#4828/,
  )
  await writeFile(lock, `{ "packages": { "node_modules/${name}": {} } }`)
  t.notRegex(explain(attempt({ libTorch: undefined }), good), /does not list it/)
})

test('within a store of pnpm, the cure is one of pnpm', async (t) => {
  const packageFolder = join(place, 'node_modules/.pnpm/fer-torch@1.0.0/node_modules/fer-torch')
  await mkdir(packageFolder, { recursive: true })
  await writeFile(join(packageFolder, 'package.json'), '{}')
  t.regex(explain(attempt({ packageFolder, libTorch: undefined }), good), /`pnpm add @fer-torch/)
})

test('musl and an old glibc are no matter to an addon that was built there', (t) => {
  const built = { addon: join(installed, 'build', 'Release', 'fer_torch.node'), error: new Error('no') }
  for (const platform of [{ libc: 'musl' }, { glibc: '2.17' }] as const)
    t.regex(
      explain(attempt({ ...built, libTorch: undefined }), { ...good, ...platform }),
      /built on this machine/,
    )
})

test('what none of these explains is passed on', (t) => {
  const text = explain(attempt({ target: undefined, libTorch: undefined, error: new Error('odd') }), good)
  t.regex(text, /odd.*fer-torch doctor/)
})

test('this machine is described', (t) => {
  const platform = describePlatform()
  t.is(platform.os, process.platform)
  t.true(platform.nodeApi >= 8)
  if (platform.libc === 'glibc') t.regex(platform.glibc!, /^2\.\d+$/)
})

test('the workflow of a release builds every target', async (t) => {
  const workflow = await readFile(new URL('../../.github/workflows/release.yml', import.meta.url), 'utf8')
  const built = [...workflow.matchAll(/\btarget: ([\w-]+),/g)].map(([, name]) => name)
  t.deepEqual(built.toSorted(), targets.map(({ name }) => name).toSorted())
})

test('every target has what its system calls a library', (t) => {
  const ends = { linux: /\.so(\.\d+)?$/, darwin: /\.dylib$/, win32: /\.dll$/ }
  for (const { os, entry, libraries } of targets) {
    t.true(libraries.includes(entry))
    for (const library of libraries) t.regex(library, ends[os])
  }
})
