// Is ARM worth it? Trains ARM, ARM without its generic part, and plain pooling alike, over several seeds, and measures the
// weights of the last epoch, one face at a time, on faces that were not trained on:
//   npx tsx examples/compare-heads.ts --data fer2013:datasets/fer2013 --output runs/heads
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Dataset, datasets, type EpochEvent, evaluate, Model, type TrainOptions, train } from 'fer-torch'
import { byClass, listed, type Order, reordered, shuffled } from './orders.js'
import { percent, table } from './table.js'

const usage = `npx tsx examples/compare-heads.ts --data SPEC --output FOLDER

  --data SPEC        fer2013:PATH, raf-db:PATH, folder:PATH or synthetic:COUNT
  --output FOLDER    where the runs are written; those that are there are gone on with
  --epochs N         of each run; 6
  --seeds N          runs of each kind; 3
  --image-size N     64
  --stem NAME        medium`

/** Trained in the same way, but for these options. */
const kinds: Readonly<Record<string, Partial<TrainOptions>>> = {
  'ARM, generic part shared': { head: 'arm', affinity: 'ema' },
  'ARM, no generic part': { head: 'arm', affinity: 'none' },
  'plain pooling': { head: 'gap' },
}

/** How one model is measured besides: the published rule, by the order of the list. */
const published: Readonly<Record<string, Order>> = {
  'batches of 64, as listed': listed,
  'batches of 64, shuffled': shuffled(0),
  'batches of 64, sorted by class': byClass,
}

const alike = {
  batchSize: 128,
  optimizer: 'sgd',
  learningRate: 0.1,
  warmupEpochs: 1,
  labelSmoothing: 0.1,
  clipNorm: 5,
} as const

interface Measured {
  readonly name: string
  /** A seed each. */
  readonly accuracies: number[]
  readonly minutes: number[]
}

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      output: { type: 'string' },
      epochs: { type: 'string', default: '6' },
      seeds: { type: 'string', default: '3' },
      'image-size': { type: 'string', default: '64' },
      stem: { type: 'string', default: 'medium' },
    },
  })
  const { data: spec, output, epochs, seeds } = values
  if (!spec || !output) {
    process.exitCode = 2
    return usage
  }
  const data = datasets.parseSpec(spec)
  const sizes = { imageSize: Number(values['image-size']), stem: values.stem as 'medium' }
  const measured: Measured[] = []
  for (let seed = 0; seed < Number(seeds); seed++) {
    // Kind after kind within a seed, so that a machine that slows down slows all of them.
    for (const [name, kind] of Object.entries(kinds)) {
      const folder = join(output, `${name.replace(/\W+/g, '-')}-${seed}`)
      const options = { ...alike, ...sizes, ...kind, data, seed, epochs: Number(epochs), output: folder }
      const minutes = await learn(options)
      await using model = await Model.load(join(folder, 'last.safetensors'))
      note(measured, name, await accuracyOf(model, data), minutes)
      if (kind.affinity !== 'ema') continue
      for (const [rule, order] of Object.entries(published))
        note(measured, `the same model, ${rule}`, await accuracyOf(model, data, order), minutes)
    }
  }
  return tableOf(measured)
}

/** Minutes of training and validation. */
async function learn(options: TrainOptions): Promise<number> {
  const { model } = await train({ ...options, resume: true })
  model.dispose()
  const lines = (await readFile(join(options.output, 'log.jsonl'), 'utf8')).trim().split('\n')
  return lines.reduce((sum, line) => sum + (JSON.parse(line) as EpochEvent).seconds, 0) / 60
}

/** On the validation faces that are not among the training faces. */
async function accuracyOf(model: Model, data: Dataset, order?: Order): Promise<number> {
  const rule = order ? ({ affinity: 'batch', batchSize: 64 } as const) : {}
  const faces = order ? reordered(data, order) : data
  const { accuracy } = await evaluate(model, faces, { split: 'validation', excluding: data, ...rule })
  return accuracy
}

function note(measured: Measured[], name: string, accuracy: number, minutes: number): void {
  console.log(`${name}: ${percent(accuracy)}`)
  const known = measured.find((row) => row.name === name)
  if (!known) return void measured.push({ name, accuracies: [accuracy], minutes: [minutes] })
  known.accuracies.push(accuracy)
  known.minutes.push(minutes)
}

function tableOf(measured: readonly Measured[]): string {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const rows = measured.map(({ name, accuracies, minutes }) => [
    name,
    accuracies.map(percent).join(', '),
    percent(mean(accuracies)),
    mean(minutes).toFixed(1),
  ])
  return `\n${table([['', 'accuracy by seed', 'mean', 'minutes'], ...rows])}`
}

console.log(await main())
