// ONNX Runtime as lib/bench measures it: `node onnxruntime.mjs MODULE THREADS`, then one request a line on stdin, one
// answer a line on stdout. Times are taken here, around the call alone: the pipe is not counted against the peer.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [module, threads] = process.argv.slice(2)
const runtime = (await import(pathToFileURL(module).href)).default
/** Every graph optimisation, and its own default of spinning threads: the peer at its best. */
const options = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: 'sequential',
}

/** By the key that a request names: a session and what to feed it. */
const loaded = new Map()

const methods = {
  hello: () => ({ version: runtime.env.versions.node, abilities: [] }),

  async load({ key, model, input, shape }) {
    const session = await runtime.InferenceSession.create(model, options)
    const feeds = { [session.inputNames[0]]: new runtime.Tensor('float32', readFloats(input), shape) }
    loaded.set(key, { session, feeds })
    const output = await session.run(feeds)
    return { output: Array.from(output[session.outputNames[0]].data) }
  },

  async run({ key, runs }) {
    const { session, feeds } = loaded.get(key)
    const times = []
    for (let i = 0; i < runs; i++) {
      const started = performance.now()
      await session.run(feeds)
      times.push(performance.now() - started)
    }
    return { times }
  },

  memory: () => ({ resident: process.memoryUsage.rss() }),
}

function readFloats(path) {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

for await (const line of createInterface(process.stdin)) {
  const { method, ...request } = JSON.parse(line)
  let answer
  try {
    answer = { result: await methods[method](request) }
  } catch (error) {
    answer = { error: `${method}: ${error.message}` }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
