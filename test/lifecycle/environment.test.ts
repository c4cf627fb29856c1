import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { outputFolder } from '../trained.js'

const run = promisify(execFile)
const library = new URL('../../lib/index.ts', import.meta.url).href

/** A training run that would take hours; `after` is code that runs at its first step. */
const longRun = (after: string): string => `
  const { train, datasets } = await import('${library}')
  const run = train({ data: datasets.synthetic({ count: 42 }), output: ${JSON.stringify(outputFolder())},
    epochs: 10000, batchSize: 7, imageSize: 48 })
  for await (const event of run) if (event.type === 'step') break
  ${after}`

const child = (code: string) =>
  run(process.execPath, ['--import=tsx', '--input-type=module', '--eval', code], { env: process.env })

test('process.exit in the middle of training ends the process at once, without a crash', async (t) => {
  const { stderr } = await child(longRun("console.error('leaving'); process.exit(0)"))
  t.is(stderr.trim(), 'leaving')
})

test('an exception in the middle of training ends the process with that exception', async (t) => {
  const error = await t.throwsAsync(() =>
    child(longRun("setTimeout(() => { throw new Error('on purpose') })")),
  )
  t.is((error as { code?: unknown }).code, 1)
  t.regex((error as { stderr?: string }).stderr ?? '', /on purpose/)
})

test('a finished script ends by itself: nothing keeps the process alive', async (t) => {
  const { stdout } = await child(`
    const { datasets, predict, train } = await import('${library}')
    const data = datasets.synthetic({ count: 21 })
    const { model } = await train({ data, output: ${JSON.stringify(outputFolder())}, epochs: 1, imageSize: 48 })
    const picture = await (await data.open('test')).samples[0].read()
    console.log((await predict(picture, { model })).label !== undefined)`)
  t.is(stdout.trim(), 'true')
})

test('two workers train at once, and one can be terminated in mid-training', async (t) => {
  const start = () => {
    const code = longRun(
      "(await import('node:worker_threads')).parentPort.postMessage('training'); await run",
    )
    // A worker's own code is a CommonJS script unless it is a file: it hands on to tsx and an ES module.
    const bootstrap = `import('tsx/esm/api').then(async ({ register }) => { register(); await import(${JSON.stringify(
      `data:text/javascript,${encodeURIComponent(code)}`,
    )}) })`
    return new Worker(bootstrap, { eval: true, env: process.env })
  }
  const [first, second] = [start(), start()]
  await Promise.all([once(first, 'message'), once(second, 'message')])
  t.is(await first.terminate(), 1)
  t.is(await second.terminate(), 1)
})
