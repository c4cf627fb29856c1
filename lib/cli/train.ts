import { type Command, Option } from 'commander'
import {
  affinities,
  backbones,
  colors,
  heads,
  optimizers,
  schedules,
  stems,
  trainingPrecisions,
} from '../catalog.js'
import type { TrainOptions, TrainResult } from '../index.js'
import { recipes } from '../options/recipes.js'
import {
  addFlags,
  choiceFlag,
  dataFlag,
  jsonFlag,
  numberFlag,
  precisionFlag,
  readSpec,
  textFlag,
  withDefault,
} from './flags.js'
import { print, printJson } from './output.js'
import { percent } from './table.js'
import { followTraining } from './training-progress.js'

interface TrainFlags extends Omit<TrainOptions, 'data' | 'validation' | 'augmentation'> {
  readonly data: string
  readonly validation?: string
  /** False where switched off. */
  readonly augmentation: boolean
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch train --data fer2013:datasets/fer2013 --output runs/fer2013 --image-size 48
  $ fer-torch train --data folder:faces --output runs/faces --head gap --epochs 40
  $ fer-torch train --data folder:faces --output runs/faces --head gap --epochs 40 --resume

A run writes best.safetensors, last.safetensors, log.jsonl and metrics.json, and checkpoint.safetensors, from which the
same command with --resume goes on after a run was stopped or killed. The test split is never opened.
With --json: { best: { epoch, accuracy, path }, metrics, output }.`

export function addTrain(program: Command): void {
  const command = program.command('train').description('train a model on labelled faces')
  addFlags(command, [...dataFlags(), ...runFlags(), ...networkFlags(), ...recipeFlags(), jsonFlag()])
  command.addHelpText('after', examples).action(runTrain)
}

const dataFlags = (): Option[] => [
  dataFlag(),
  textFlag('--output <dir>', 'folder for the model and the log; made if missing').makeOptionMandatory(),
  withDefault(
    textFlag('--validation <spec>', 'faces to choose the best epoch on'),
    'those of --data, else a held-out tenth',
  ),
]

const runFlags = (): Option[] => [
  new Option('--resume', 'go on with the run in --output, from its last checkpoint'),
  withDefault(numberFlag('--checkpoint-minutes <x>', 'time between checkpoints, beside one an epoch'), '5'),
]

const networkFlags = (): Option[] => [
  withDefault(
    textFlag('--pretrained <file>', 'weights to begin with, .pth or .safetensors'),
    'drawn from --seed',
  ),
  withDefault(choiceFlag('--backbone <name>', backbones, 'network under the head'), 'resnet18'),
  withDefault(choiceFlag('--head <name>', heads, 'ARM, or plain pooling'), 'arm'),
  withDefault(choiceFlag('--stem <name>', stems, 'first layers'), 'from the image size'),
  withDefault(numberFlag('--image-size <n>', 'side of the square the network sees, in pixels'), '112'),
  withDefault(choiceFlag('--color <name>', colors, 'colour mode of the model'), 'that of the data'),
  withDefault(
    choiceFlag('--affinity <name>', affinities, "where ARM's generic part comes from"),
    'ema; none with --head gap',
  ),
]

const recipeFlags = (): Option[] => [
  choiceFlag('--recipe <name>', recipes, 'published options, for those not given'),
  withDefault(numberFlag('--epochs <n>', 'times every training face is seen'), '20'),
  withDefault(numberFlag('--batch-size <n>', 'faces a step'), '64'),
  withDefault(choiceFlag('--optimizer <name>', optimizers, 'rule of the steps'), 'adamw'),
  withDefault(numberFlag('--learning-rate <x>', 'the largest'), '0.001 for adam and adamw, 0.05 for sgd'),
  withDefault(
    numberFlag('--weight-decay <x>', 'on every parameter'),
    '0.0001 for adam, 0.05 for adamw, 0.0005 for sgd',
  ),
  withDefault(numberFlag('--momentum <x>', 'Nesterov momentum of sgd'), '0.9'),
  withDefault(numberFlag('--beta1 <x>', 'of adam and adamw'), '0.9'),
  withDefault(numberFlag('--beta2 <x>', 'of adam and adamw'), '0.999'),
  withDefault(numberFlag('--decay <x>', 'factor an epoch of schedule exponential'), '0.9'),
  withDefault(choiceFlag('--schedule <name>', schedules, 'course of the learning rate'), 'cosine'),
  withDefault(
    numberFlag('--warmup-epochs <x>', 'epochs over which the rate rises from zero'),
    'a twentieth of --epochs; 0 with one-cycle',
  ),
  withDefault(numberFlag('--label-smoothing <x>', 'share of each target spread over all classes'), '0'),
  withDefault(numberFlag('--clip-norm <x>', 'largest norm of the gradients; 0: any'), '0'),
  withDefault(numberFlag('--accumulate <n>', 'parts a batch is computed in, to save memory'), '1'),
  precisionFlag(trainingPrecisions),
  withDefault(numberFlag('--seed <n>', 'of weights, order and augmentation'), '0'),
  new Option('--no-augmentation', 'show the training faces as they are'),
]

async function runTrain(flags: TrainFlags): Promise<void> {
  const { data, validation, augmentation, json, ...options } = flags
  const settings: TrainOptions = {
    ...options,
    data: await readSpec(data, '--data'),
    ...(validation === undefined ? {} : { validation: await readSpec(validation, '--validation') }),
    ...(augmentation ? {} : { augmentation: false as const }),
  }
  const { train } = await import('../index.js')
  const result = await followTraining((hooks) => train({ ...settings, ...hooks }))
  result.model.dispose()
  if (json) printJson({ best: result.best, metrics: result.metrics, output: settings.output })
  else print(describe(result))
}

function describe({ best }: TrainResult): string {
  const { epoch, accuracy, path } = best
  return `The best model is of epoch ${epoch}, ${percent(accuracy)} of the validation faces right: ${path}`
}
