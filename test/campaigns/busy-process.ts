// Trains and predicts at once until it is ended from outside, or by process.exit after so many milliseconds: for
// campaigns, as a process or a worker.
import { parentPort } from 'node:worker_threads'
import { datasets, Model, predict, train } from '../../lib/index.js'

const { output, exitAfter } = JSON.parse(process.env.BUSY!) as { output: string; exitAfter?: number }
const data = datasets.synthetic({ count: 21, seed: 5 })
const options = { data, batchSize: 7, imageSize: 48, precision: 'float32' as const }
const { best } = await train({ ...options, epochs: 1, output: `${output}-first` })
const pictures = await Promise.all((await data.open('test')).samples.map((sample) => sample.read()))

const run = train({ ...options, epochs: 10_000, checkpointMinutes: 0, output })
for await (const event of run) if (event.type === 'step') break
parentPort?.postMessage('busy')
if (exitAfter !== undefined) setTimeout(() => process.exit(7), exitAfter)
for (;;) {
  const model = await Model.load(best.path)
  const pending = predict(pictures, { model, batchSize: 4 })
  // Every other one is left to the garbage collector.
  if (performance.now() % 2 < 1) model.dispose()
  await pending
}
