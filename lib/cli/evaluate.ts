import type { Command } from 'commander'
import { splitNames } from '../datasets/dataset.js'
import type { Evaluation, SplitName } from '../index.js'
import {
  addFlags,
  choiceFlag,
  dataFlag,
  type InferenceFlags,
  inferenceFlags,
  jsonFlag,
  loadModel,
  type ModelFlags,
  modelFlags,
  readSpec,
  textFlag,
  withDefault,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { print, printJson, warnAboutAffinity } from './output.js'
import { showProgress } from './progress.js'
import { facts, percent, table } from './table.js'

interface EvaluateFlags extends ModelFlags, InferenceFlags {
  readonly data: string
  readonly split?: SplitName
  readonly excluding?: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch evaluate --model runs/faces/best.safetensors --data folder:faces
  $ fer-torch evaluate --model best.safetensors --data fer2013:datasets/fer2013 --split validation --json

With --json: { samples, accuracy, meanClassAccuracy, macroF1, classes, confusion, nll, ece, imagesPerSecond, ... },
every rate a fraction from 0 to 1.`

export function addEvaluate(program: Command): void {
  const command = program.command('evaluate').description('measure a model on labelled faces')
  addFlags(command, [
    ...modelFlags(),
    dataFlag(),
    withDefault(choiceFlag('--split <name>', splitNames, 'which faces of the data'), 'test'),
    textFlag('--excluding <spec>', 'leave out faces that are among the training faces of these data'),
    ...inferenceFlags(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runEvaluate)
}

async function runEvaluate({ json, ...flags }: EvaluateFlags): Promise<void> {
  const evaluation = await interruptible((signal) => measureModel(flags, signal))
  warnAboutAffinity(evaluation.affinity)
  if (json) printJson(evaluation)
  else print(describe(evaluation))
}

async function measureModel(flags: Omit<EvaluateFlags, 'json'>, signal: AbortSignal): Promise<Evaluation> {
  const { model: _, classes: __, data: spec, excluding, ...options } = flags
  const data = await readSpec(spec, '--data')
  const apart = excluding === undefined ? {} : { excluding: await readSpec(excluding, '--excluding') }
  const { evaluate } = await import('../index.js')
  await using model = await loadModel(flags)
  return await showProgress('evaluating', (listeners) =>
    evaluate(model, data, { ...options, ...apart, ...listeners, signal }),
  )
}

const describe = (evaluation: Evaluation): string =>
  [describeWhole(evaluation), describeClasses(evaluation), describeConfusion(evaluation)].join('\n\n')

function describeWhole(evaluation: Evaluation): string {
  const { split, samples, excluded, affinity, precision, device, flip, imagesPerSecond } = evaluation
  const how = `${device}, precision ${precision}, affinity ${affinity}${flip ? ', mean with the mirror image' : ''}`
  return facts({
    faces: `${samples} (${split}${excluded === undefined ? '' : `, ${excluded} left out`})`,
    accuracy: percent(evaluation.accuracy),
    'mean class accuracy': percent(evaluation.meanClassAccuracy),
    'macro F1': percent(evaluation.macroF1),
    'negative log-likelihood': evaluation.nll.toFixed(3),
    'calibration error': percent(evaluation.ece),
    speed: `${imagesPerSecond.toFixed(0)} images/s (${how})`,
  })
}

function describeClasses({ classes }: Evaluation): string {
  const rows = classes.map(({ name, precision, recall, f1, support }) => [
    name,
    percent(precision),
    percent(recall),
    percent(f1),
    String(support),
  ])
  return table([['class', 'precision', 'recall', 'F1', 'faces'], ...rows])
}

function describeConfusion({ classes, confusion }: Evaluation): string {
  const names = classes.map(({ name }) => name)
  const rows = confusion.map((row, truth) => [names[truth]!, ...row.map(String)])
  return table([['true \\ predicted', ...names], ...rows])
}
