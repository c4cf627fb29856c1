import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Dataset, Evaluation, Model, TrainOptions } from '../index.js'
import type { JudgedFace } from '../report/demo-picture.js'
import { jsonFlag, textFlag, withDefault } from './flags.js'
import { interruptible } from './interrupt.js'
import { print, printJson } from './output.js'
import { Progress } from './progress.js'
import { percent } from './table.js'
import { followTraining } from './training-progress.js'

export interface Recipe {
  /** How many are drawn for each purpose. */
  readonly faces: { readonly training: number; readonly validation: number; readonly test: number }
  readonly seed: number
  readonly options: Omit<TrainOptions, 'data' | 'validation' | 'output' | 'signal' | 'onPack'>
}

/**
 * Under three minutes on two cores, and 95 % at least. The drawn faces need little augmentation: with the defaults,
 * which photographs need, twelve epochs reached 90 %.
 */
const recipe: Recipe = {
  faces: { training: 2100, validation: 210, test: 700 },
  seed: 0,
  options: {
    imageSize: 52,
    stem: 'medium',
    batchSize: 32,
    epochs: 8,
    learningRate: 1e-3,
    schedule: 'one-cycle',
    augmentation: { shift: 0.05, scale: 0.05, rotation: 0, brightness: 0, contrast: 0, erase: 0 },
  },
}

/** In the picture: a row of mistakes, if there are as many. */
const shown = { faces: 40, mistakes: 8 } as const

export interface Demo {
  readonly accuracy: number
  /** All in all. */
  readonly seconds: number
  /** Path of the PNG. */
  readonly picture: string
  /** Path of the model. */
  readonly model: string
}

const examples = `
Examples:
  $ fer-torch demo
  $ fer-torch demo --output runs/demo --json

The faces are drawn: the model shows that everything works, and is of no use on photographs.
With --json: { accuracy, seconds, picture, model }.`

export function addDemo(program: Command): void {
  const command = program.command('demo').description('draw faces, train on them, and show what was learned')
  command.addOption(
    withDefault(textFlag('--output <dir>', 'folder for the picture and the model'), 'a new one'),
  )
  command.addOption(jsonFlag()).addHelpText('after', examples).action(runDemo)
}

async function runDemo({ output, json }: { readonly output?: string; readonly json?: true }): Promise<void> {
  const demo = await makeDemo(recipe, output)
  if (json) return printJson(demo)
  const { accuracy, seconds, picture, model } = demo
  print(
    `${percent(accuracy)} of ${recipe.faces.test} faces of people it never saw, after ${seconds.toFixed(0)} s`,
  )
  print(`picture: ${picture}\nmodel:   ${model}`)
}

/** Trains, measures and draws; `output` is a new folder of the system's temporary ones where it is left out. */
export async function makeDemo({ faces, seed, options }: Recipe, output?: string): Promise<Demo> {
  const started = performance.now()
  const folder = resolve(output ?? (await mkdtemp(join(tmpdir(), 'fer-torch-demo-'))))
  const { datasets, train } = await import('../index.js')
  const draw = (count: number) => datasets.synthetic({ count, seed })
  const data = { data: draw(faces.training), validation: draw(faces.validation) }
  const { model, best } = await followTraining((hooks) =>
    train({ ...options, ...data, seed, output: folder, ...hooks }),
  )
  const picture = join(folder, 'demo.png')
  const { accuracy } = await showWork(model, draw(faces.test), picture)
  model.dispose()
  return { accuracy, seconds: (performance.now() - started) / 1000, picture, model: best.path }
}

function showWork(model: Model, data: Dataset, output: string): Promise<Evaluation> {
  return interruptible(async (signal) => {
    const evaluation = await measureModel(model, data, signal)
    const { drawDemoPicture } = await import('../report/demo-picture.js')
    const faces = choose(await judge(model, data, signal))
    await drawDemoPicture({ ...evaluation, faces, classes: model.info.classes, output })
    return evaluation
  })
}

async function measureModel(model: Model, data: Dataset, signal: AbortSignal): Promise<Evaluation> {
  const { evaluate } = await import('../index.js')
  const progress = new Progress()
  try {
    return await evaluate(model, data, {
      signal,
      onPack: (packed) => progress.packing(packed),
      onProgress: (done, total) => progress.bar('evaluating', done, total),
    })
  } finally {
    progress.end()
  }
}

async function judge(model: Model, data: Dataset, signal: AbortSignal): Promise<JudgedFace[]> {
  const { predict } = await import('../index.js')
  const { samples, classes } = await data.open('test')
  const pictures = await Promise.all(samples.map((sample) => sample.read()))
  const predictions = await predict(pictures, { model, signal })
  return predictions.map(({ label, confidence }, i) => ({
    picture: pictures[i]!,
    truth: classes[samples[i]!.label]!,
    predicted: label,
    confidence,
  }))
}

/** Some mistakes among what is right, in the order of the data. */
function choose(faces: readonly JudgedFace[]): JudgedFace[] {
  const isWrong = ({ truth, predicted }: JudgedFace) => truth !== predicted
  const right = faces.filter((face) => !isWrong(face))
  const mistakes = faces.filter(isWrong).slice(0, Math.max(shown.mistakes, shown.faces - right.length))
  const chosen = new Set([...mistakes, ...right.slice(0, shown.faces - mistakes.length)])
  return faces.filter((face) => chosen.has(face))
}
