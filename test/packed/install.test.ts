// `npm run pack:check`: what a stranger gets. Installs the packed packages in empty folders, out of reach of compilers and
// of the network, and uses them there.
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { libTorchVersion, packageOf, targetFor, targets } from '../../lib/loading/targets.js'
import { majors, nodeOf } from './nodes.js'
import { Registry } from './registry.js'
import { checkout, type Ended, Sandbox } from './sandbox.js'

const run = promisify(execFile)
const packages = join(checkout, '.cache', 'packages')
const target = targetFor(process.platform, process.arch)!
const libTorch = packageOf(target)
const face = join(checkout, 'docs', 'face.jpg')

/** Bytes that a tarball may have. */
const budgets = { own: 30e6, libTorch: 112e6 }
/** The newest symbols that an addon may need: of a release's build, or of this machine's compiler. */
const symbols = process.env.FER_TORCH_RELEASE
  ? { GLIBC: target.glibc!, GLIBCXX: '3.4.25' }
  : { GLIBC: '2.34', GLIBCXX: '3.4.30' }

let registry: Registry
let tarballs: { own: string; libTorch: string }
let version: string

test.before(async () => {
  const files = (await readdir(packages)).filter((file) => file.endsWith('.tgz'))
  const find = (start: RegExp) => join(packages, files.find((file) => start.test(file))!)
  tarballs = { own: find(/^fer-torch-\d/), libTorch: find(/^fer-torch-libtorch-/) }
  const manifestIn = async (folder: string) =>
    JSON.parse(await readFile(join(packages, folder, 'package.json'), 'utf8'))
  registry = await Registry.start()
  const own = await manifestIn('fer-torch')
  version = own.version
  registry.publish(own, tarballs.own)
  for (const { name, os, cpu } of targets)
    registry.publish({
      name: `@fer-torch/libtorch-${name}`,
      version: libTorchVersion,
      ...{ os: [os], cpu: [cpu] },
    })
  registry.publish(await manifestIn(`libtorch-${target.name}`), tarballs.libTorch)
  await registry.publishDependencies(own, checkout, join(packages, 'dependencies'))
})

test.after.always(() => registry?.close())

async function installed(t: ExecutionContext, major: number, ...args: readonly string[]): Promise<Sandbox> {
  const sandbox = await emptySandbox(t, major)
  const { code, stderr, milliseconds } = await sandbox.install(...args, 'fer-torch')
  t.is(code, 0, stderr)
  t.log(`installed in ${(milliseconds / 1000).toFixed(1)} s`)
  return sandbox
}

async function emptySandbox(t: ExecutionContext, major = 20): Promise<Sandbox> {
  const sandbox = await Sandbox.make(await nodeOf(major), registry.address)
  t.teardown(() => sandbox.remove())
  await cp(face, join(sandbox.folder, 'face.jpg'))
  return sandbox
}

/** What a module of the application prints, as JSON. */
async function printed(t: ExecutionContext, sandbox: Sandbox, file: string, code: string) {
  await sandbox.write(file, code)
  const ended = await sandbox.node([file])
  t.is(ended.code, 0, ended.stderr)
  t.is(ended.stderr, '')
  return JSON.parse(ended.stdout)
}

const failed = (t: ExecutionContext, { code, stderr }: Ended, reason: RegExp) => {
  t.not(code, 0)
  t.regex(stderr, reason)
}

for (const major of majors) {
  test(`Node ${major}: a stranger installs, predicts, trains and asks the command line`, async (t) => {
    const sandbox = await installed(t, major)
    t.regex((await sandbox.node(['--version'])).stdout, new RegExp(`^v${major}\\.`))

    const esm = await printed(
      t,
      sandbox,
      'esm.js',
      `import { predict } from 'fer-torch'
       const { label, confidence } = await predict('face.jpg')
       const { rss } = process.memoryUsage()
       console.log(JSON.stringify({ label, confidence, rss, milliseconds: performance.now() }))`,
    )
    t.log(
      `first answer after ${esm.milliseconds.toFixed(0)} ms, ${(esm.rss / 1e6).toFixed(0)} MB: ${esm.label}`,
    )
    const common = await printed(
      t,
      sandbox,
      'common.cjs',
      `const { predict, Model } = require('fer-torch')
       const { resize } = require('fer-torch/ops')
       predict('face.jpg').then(async ({ label }) => {
         const same = (await import('fer-torch')).Model === Model
         console.log(JSON.stringify({ label, same, resize: typeof resize }))
       })`,
    )
    t.deepEqual(common, { label: esm.label, same: true, resize: 'function' })

    const trained = await printed(
      t,
      sandbox,
      'train.js',
      `import { datasets, predict, train } from 'fer-torch'
       const data = datasets.synthetic({ count: 70 })
       const run = train({ data, output: 'run', epochs: 1, batchSize: 7, imageSize: 48 })
       let steps = 0
       for await (const event of run) if (event.type === 'step') steps = event.step
       const { model } = await run
       console.log(JSON.stringify({ steps, label: typeof (await predict('face.jpg', { model })).label }))`,
    )
    t.deepEqual(trained, { steps: 10, label: 'string' })

    const program = join('node_modules', 'fer-torch', 'dist', 'cli', 'main.js')
    const told = await sandbox.node([program, 'predict', '--json', 'face.jpg'])
    t.is(told.code, 0, told.stderr)
    t.is(JSON.parse(told.stdout)[0].label, esm.label)
    const doctor = JSON.parse((await sandbox.node([program, 'doctor', '--json'])).stdout)
    t.is(doctor.ferTorch, version)
    t.regex(doctor.libTorch.folder, new RegExp(`node_modules/${libTorch}/lib$`))

    const workers = await printed(
      t,
      sandbox,
      'workers.js',
      `import { Worker } from 'node:worker_threads'
       const code = \`import { predict } from 'fer-torch'
         import { parentPort } from 'node:worker_threads'
         parentPort.postMessage((await predict('face.jpg')).label)
         setInterval(() => {}, 1000)\`
       const url = new URL('data:text/javascript,' + encodeURIComponent(code.replace("'fer-torch'", JSON.stringify(import.meta.resolve('fer-torch')))))
       const answer = () => {
         const worker = new Worker(url)
         return new Promise((resolve, reject) => {
           worker.once('message', async (label) => resolve([label, await worker.terminate()]))
           worker.once('error', reject)
         })
       }
       const both = await Promise.all([answer(), answer()])
       console.log(JSON.stringify([...both, await answer()]))`,
    )
    t.deepEqual(workers, Array(3).fill([esm.label, 1]))
  })
}

test('a consumer in strict mode type-checks, as an ES module and as CommonJS', async (t) => {
  const sandbox = await installed(t, 20)
  const use = (take: string) => `${take}
const data = ferTorch.datasets.synthetic({ count: 7 })
export async function label(image: Uint8Array): Promise<string> {
  const options: ferTorch.PredictOptions = { box: { left: 0, top: 0, width: 9, height: 9 } }
  const { label, probabilities } = await ferTorch.predict(image, options)
  const total: number = Object.values(probabilities).reduce((a, b) => a + b, 0)
  const { model } = await ferTorch.train({ data, output: 'run', epochs: 1 })
  // @ts-expect-error: there is no such option
  await ferTorch.evaluate(model, data, { spilt: 'test' })
  return label + total + (await ops.resize({ dtype: 'uint8', shape: [1, 2, 2, 1], data: image }, 4)).shape
}
`
  const imports = "import * as ferTorch from 'fer-torch'\nimport * as ops from 'fer-torch/ops'"
  await sandbox.write('consumer.mts', use(imports))
  await sandbox.write(
    'consumer.cts',
    use("import ferTorch = require('fer-torch')\nimport ops = require('fer-torch/ops')"),
  )
  await sandbox.write('bundled.ts', use(imports))
  const strict = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
  }
  const types = { typeRoots: [join(checkout, 'node_modules', '@types')] }
  const check = async (name: string, compilerOptions: object, files: readonly string[]) => {
    await sandbox.write(
      name,
      JSON.stringify({ compilerOptions: { ...strict, ...types, ...compilerOptions }, files }),
    )
    const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc')
    const { code, stdout } = await sandbox.node([tsc, '-p', name])
    t.is(code, 0, stdout)
  }
  await check('node16.json', { module: 'node16', moduleResolution: 'node16' }, [
    'consumer.mts',
    'consumer.cts',
  ])
  await check('bundler.json', { module: 'esnext', moduleResolution: 'bundler' }, ['bundled.ts'])
})

test('a bundle of esbuild that leaves the package external runs, and one that swallows it says why not', async (t) => {
  const sandbox = await installed(t, 20)
  await sandbox.write(
    'source.js',
    `import { predict } from 'fer-torch'\nconsole.log((await predict('face.jpg')).label)`,
  )
  const esbuild = join(checkout, 'node_modules', 'esbuild', 'bin', 'esbuild')
  const bundle = (...flags: string[]) =>
    run(
      esbuild,
      ['source.js', '--bundle', '--platform=node', '--format=esm', '--log-level=error', ...flags],
      {
        cwd: sandbox.folder,
      },
    )
  await bundle('--external:fer-torch', '--outfile=good.js')
  const good = await sandbox.node(['good.js'])
  t.is(good.code, 0, good.stderr)
  await mkdir(join(sandbox.folder, 'out', 'deep'), { recursive: true })
  await bundle(
    '--external:sharp',
    '--outfile=out/deep/bad.js',
    '--banner:js=import{createRequire as c}from"module";const require=c(import.meta.url);',
  )
  failed(
    t,
    await sandbox.node(['out/deep/bad.js']),
    /a bundler has taken its code elsewhere.*--external:fer-torch/,
  )
})

test('where nothing below node_modules can be written, it runs all the same', async (t) => {
  const sandbox = await installed(t, 20)
  const modules = join(sandbox.folder, 'node_modules')
  await run('chmod', ['-R', 'a-w,a+rX', modules])
  t.teardown(() => run('chmod', ['-R', 'u+w', modules]))
  await run('chmod', ['a+rx', join(sandbox.folder, '..')])
  await sandbox.write(
    'read-only.js',
    `import { predict } from 'fer-torch'\nconsole.log((await predict('face.jpg')).label)`,
  )
  // Root writes where it likes.
  const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
  const { code, stderr } = await sandbox.node(['read-only.js'], nobody)
  t.is(code, 0, stderr)
})

test('it runs from a layout such as that of pnpm, where each package has a node_modules of its own', async (t) => {
  const sandbox = await installed(t, 20)
  const modules = join(sandbox.folder, 'node_modules')
  const store = join(modules, '.pnpm')
  const homeOf = async (name: string) => {
    const home = join(store, `${name.replace('/', '+')}@1`, 'node_modules')
    await mkdir(join(home, name, '..'), { recursive: true })
    await rename(join(modules, name), join(home, name))
    return home
  }
  const libTorchHome = await homeOf(libTorch)
  const own = await homeOf('fer-torch')
  // Its other dependencies stay where all find them; LibTorch is found from beside the package alone.
  await mkdir(join(own, '@fer-torch'))
  await symlink(join(libTorchHome, libTorch), join(own, libTorch))
  await symlink(join(own, 'fer-torch'), join(modules, 'fer-torch'))
  await sandbox.write(
    'nested.js',
    `import { predict } from 'fer-torch'\nconsole.log((await predict('face.jpg')).label)`,
  )
  const { code, stderr } = await sandbox.node(['nested.js'])
  t.is(code, 0, stderr)
  await rm(join(own, libTorch))
  failed(t, await sandbox.node(['nested.js']), /is missing.*`pnpm install --force`/)
})

test('what keeps it from loading is said in one paragraph, with the cure that works', async (t) => {
  const sandbox = await installed(t, 20, '--omit=optional')
  // sharp, too, brings its libraries by optional dependencies.
  await sandbox.install('--no-save', 'sharp')
  await sandbox.write(
    'predict.js',
    `import { predict } from 'fer-torch'\nconsole.log((await predict('face.jpg')).label)`,
  )
  const predicting = (env = {}) => sandbox.node(['predict.js'], { env })
  const program = join('node_modules', 'fer-torch', 'dist', 'cli', 'main.js')

  await rm(join(sandbox.folder, 'node_modules', '@fer-torch'), { recursive: true, force: true })
  failed(t, await predicting(), new RegExp(`the package ${libTorch}, which brings LibTorch, is missing`))
  const doctor = await sandbox.node([program, 'doctor', '--json'])
  t.is(doctor.code, 1)
  t.regex(JSON.parse(doctor.stdout).problem, /is missing/)
  const own = join(packages, `libtorch-${target.name}`, 'lib')
  const overridden = await predicting({ FER_TORCH_LIBTORCH: own })
  t.is(overridden.code, 0, overridden.stderr)
  failed(t, await predicting({ FER_TORCH_LIBTORCH: '/nowhere' }), /FER_TORCH_LIBTORCH names \/nowhere/)

  const lock = join(sandbox.folder, 'package-lock.json')
  const listed = JSON.parse(await readFile(lock, 'utf8'))
  delete listed.packages[`node_modules/${libTorch}`]
  await sandbox.write('package-lock.json', JSON.stringify(listed))
  failed(t, await predicting(), /package-lock\.json does not list it/)
  const cure = await sandbox.install(`${libTorch}@${libTorchVersion}`)
  t.is(cure.code, 0, cure.stderr)
  const cured = await predicting()
  t.is(cured.code, 0, cured.stderr)

  const folder = join(sandbox.folder, 'node_modules', libTorch)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const library = join(folder, 'lib', target.entry)
  await rename(library, `${library}.away`)
  failed(t, await predicting(), /the system says: .*libtorch/)
  await rename(`${library}.away`, library)
  await sandbox.write(
    join('node_modules', libTorch, 'package.json'),
    JSON.stringify({ ...manifest, version: '2.12.0' }),
  )
  failed(t, await predicting(), /is of version 2\.12\.0, and 2\.13\.0 is needed/)
})

test('no tarball is larger than its budget, and none holds what only developers need', async (t) => {
  for (const [name, file] of Object.entries(tarballs)) {
    const { size } = await stat(file)
    t.log(`${name}: ${(size / 1e6).toFixed(1)} MB`)
    t.true(size <= budgets[name as keyof typeof budgets], `${name}: ${size} bytes`)
  }
  const { stdout } = await run('tar', ['-tzf', tarballs.own])
  const files = stdout.trim().split('\n')
  t.deepEqual(
    files.filter((file) => /\.test\.|\/test\/|\.ts\.map$|node_modules|\.stamp|biome|tsconfig/.test(file)),
    [],
  )
  for (const needed of [
    'models/arm-resnet18-fer2013.safetensors',
    'LICENSE',
    'dist/index.d.ts',
    'CMakeLists.txt',
  ])
    t.true(files.includes(`package/${needed}`), needed)
})

test('the addons need no newer system than they say', async (t) => {
  const folder = join(packages, 'fer-torch', 'prebuilds', target.name)
  for (const addon of ['fer-torch.node', join('loader', 'loader.node')]) {
    const { stdout } = await run('readelf', ['--wide', '--dyn-syms', '--dynamic', join(folder, addon)], {
      maxBuffer: 2 ** 28,
    })
    t.notRegex(stdout, /RUNPATH|RPATH/, 'no path of the machine that built it')
    for (const [library, newest] of Object.entries(symbols)) {
      const needed = [...stdout.matchAll(new RegExp(`@${library}_([\\d.]+)`, 'g'))].map(
        ([, number]) => number!,
      )
      const largest = needed.toSorted(byVersion).at(-1) ?? '0'
      t.log(`${addon}: ${library} ${largest}`)
      t.true(byVersion(largest, newest) <= 0, `${addon} needs ${library} ${largest}`)
    }
  }
})

function byVersion(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]]
  const place = left.findIndex((number, i) => number !== (right[i] ?? 0))
  return place < 0 ? left.length - right.length : left[place]! - (right[place] ?? 0)
}
