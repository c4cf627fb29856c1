import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { packageWithoutAddon, remove, run, temporaryFolder } from './run.js'

let bare: string
let cache: string
test.before(async () => {
  bare = await packageWithoutAddon()
  cache = await temporaryFolder()
  await mkdir(join(cache, 'packs'))
  await writeFile(join(cache, 'packs/one'), Buffer.alloc(1200))
})
test.after.always(async () => {
  await remove(bare)
  await remove(cache)
})

test('doctor names what was loaded, from files that exist', async (t) => {
  const { stdout, stderr, code } = await run(['doctor', '--json'], { env: { FER_TORCH_CACHE: cache } })
  t.is(code, 0, stderr)
  const found = JSON.parse(stdout)
  t.is(found.node, process.version)
  t.true(existsSync(found.addon))
  t.regex(found.libTorch.version, /^2\./)
  if (process.platform === 'linux') t.true(existsSync(join(found.libTorch.folder, 'libtorch_cpu.so')))
  t.true(found.threads >= 1)
  t.true(['float32', 'bfloat16'].includes(found.autoPrecision))
  t.deepEqual(found.devices, ['cpu'])
  t.deepEqual(found.cache, { folder: cache, bytes: 1200 })
})

test('doctor for people gives the cache and its size', async (t) => {
  const { stdout, code } = await run(['doctor'], { env: { FER_TORCH_CACHE: cache } })
  t.is(code, 0)
  t.regex(stdout, /^LibTorch +2\..* from \//m)
  t.true(stdout.includes(`${cache} (1.2 KB)`))
})

test('without an addon doctor still answers, says why there is none, and fails', async (t) => {
  const { stdout, stderr, code } = await run(['doctor', '--json'], { root: bare })
  const found = JSON.parse(stdout)
  t.is(code, 1)
  t.deepEqual([found.node, found.addon, found.libTorch], [process.version, null, null])
  t.regex(found.problem, /there is none for linux-x64 in .*npx fer-torch build/)
  t.regex(stderr, /^fer-torch: fer-torch cannot load its addon: [^\n]+\n$/)
})

test('without an addon doctor for people still gives what there is', async (t) => {
  const { stdout, code } = await run(['doctor'], { root: bare })
  t.is(code, 1)
  t.regex(stdout, /^addon +not loaded$/m)
  t.notRegex(stdout, /null|undefined/)
})

test('without an addon another command fails in one line', async (t) => {
  const { stdout, stderr, code } = await run(['inspect', 'x'], { root: bare })
  t.deepEqual([stdout, code], ['', 1])
  t.regex(stderr, /^fer-torch: fer-torch cannot load its addon: [^\n]+\n$/)
})
