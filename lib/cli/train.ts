import { type Command, Option } from 'commander'
import {
  affinities,
  backbones,
  colors,
  heads,
  optimizers,
  samplers,
  schedules,
  stems,
  trainingPrecisions,
} from '../catalog.js'
import type { Dataset } from '../datasets/dataset.js'
import { type VotesOptions, votesUses } from '../datasets/votes.js'
import type { AugmentationOptions, TrainOptions, TrainResult } from '../index.js'
import { fail } from '../options/check.js'
import { recipes } from '../options/recipes.js'
import { duplicatePolicies, frozenParts } from '../options/training.js'
import {
  addFlags,
  choiceFlag,
  dataFlag,
  deviceFlag,
  jsonFlag,
  numberFlag,
  precisionFlag,
  readNumber,
  readSpec,
  readText,
  textFlag,
  withDefault,
} from './flags.js'
import { print, printJson } from './output.js'
import { percent } from './table.js'
import { followTraining } from './training-progress.js'

interface TrainFlags extends Omit<TrainOptions, 'data' | 'validation' | 'augmentation'>, VotesFlags {
  readonly data: readonly string[]
  readonly validation?: string
  /** False where switched off. */
  readonly augmentation: boolean
  readonly augment?: AugmentationOptions
  readonly json?: true
}

interface VotesFlags {
  readonly votes?: string
  readonly votesUse?: VotesOptions['use']
  readonly votesShare?: number
}

const examples = `
Examples:
  $ fer-torch train --data fer2013:datasets/fer2013 --output runs/fer2013 --image-size 48
  $ fer-torch train --data folder:faces --output runs/faces --head gap --epochs 40
  $ fer-torch train --data folder:faces --output runs/faces --head gap --epochs 40 --resume

A run writes best.safetensors, last.safetensors, log.jsonl, metrics.json and report.html, and checkpoint.safetensors,
from which the same command with --resume goes on after a run was stopped or killed. The test split is never opened.
With --json: { best: { epoch, accuracy, path }, metrics, output }.`

export function addTrain(program: Command): void {
  const command = program.command('train').description('train a model on labelled faces')
  addFlags(command, [...dataFlags(), ...runFlags(), ...networkFlags(), ...recipeFlags(), jsonFlag()])
  command.addHelpText('after', examples).action(runTrain)
}

const dataFlags = (): Option[] => [
  dataFlag().argParser((spec: string, before: readonly string[] = []) => [
    ...before,
    readText(spec, '--data'),
  ]),
  withDefault(
    choiceFlag(
      '--duplicates <name>',
      duplicatePolicies,
      'exact copies, and validation faces seen in training',
    ),
    'remove',
  ),
  textFlag('--votes <file>', 'votes of several raters a face, as CSV, for every --data'),
  withDefault(choiceFlag('--votes-use <name>', votesUses, 'how votes become a target'), 'soft'),
  withDefault(
    numberFlag('--votes-share <x>', 'how much of a target comes from the votes, the rest from the label'),
    '1',
  ),
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
  withDefault(
    choiceFlag('--freeze <name>', frozenParts, 'part of the backbone up to which pretrained weights stay'),
    'none',
  ),
  withDefault(
    numberFlag('--layer-decay <x>', 'factor of the learning rate from each part to the one before it'),
    '1',
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
  withDefault(numberFlag('--patience <n>', 'epochs without a better model that end the run; 0: any'), '0'),
  withDefault(numberFlag('--max-minutes <x>', 'begin no epoch that would end later; 0: any'), '0'),
  withDefault(numberFlag('--batch-size <n>', 'faces a step'), '64'),
  withDefault(choiceFlag('--sampler <name>', samplers, 'which faces an epoch shows'), 'shuffle'),
  withDefault(
    numberFlag('--class-limit <n>', 'faces a class and epoch of sampler mrr'),
    'as many as the smallest class has',
  ),
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
  withDefault(numberFlag('--focal-gamma <x>', 'power of the focal loss; 0: cross-entropy'), '0'),
  withDefault(numberFlag('--class-balance <x>', 'beta of the class-balanced loss; 0: all alike'), '0'),
  withDefault(numberFlag('--mixup <x>', 'alpha of mixup; 0: off'), '0'),
  withDefault(numberFlag('--cutmix <x>', 'alpha of CutMix; 0: off'), '0'),
  withDefault(numberFlag('--dropout <x>', 'probability of dropping a feature before the classifier'), '0'),
  withDefault(
    numberFlag('--stochastic-depth <x>', 'probability of leaving out the last residual branch of a face'),
    '0',
  ),
  withDefault(numberFlag('--averaging <x>', 'share an average of the weights keeps each step; 0: none'), '0'),
  withDefault(numberFlag('--sharpness <x>', 'radius of sharpness-aware minimisation; 0: off'), '0'),
  withDefault(numberFlag('--clip-norm <x>', 'largest norm of the gradients; 0: any'), '0'),
  withDefault(numberFlag('--accumulate <n>', 'parts a batch is computed in, to save memory'), '1'),
  precisionFlag(trainingPrecisions),
  deviceFlag(),
  withDefault(numberFlag('--seed <n>', 'of weights, order and augmentation'), '0'),
  new Option('--augment <list>', 'other amounts of augmentation, such as rotation=15,coarsen=0.3').argParser(
    readAmounts,
  ),
  new Option('--no-augmentation', 'show the training faces as they are'),
]

async function runTrain(flags: TrainFlags): Promise<void> {
  const { data, validation, augmentation, augment, votes, votesUse, votesShare, json, ...options } = flags
  const settings: TrainOptions = {
    ...options,
    data: await Promise.all(data.map((spec) => readData(spec, { votes, votesUse, votesShare }))),
    ...(validation === undefined ? {} : { validation: await readSpec(validation, '--validation') }),
    ...amountsOf(augmentation, augment),
  }
  const { train } = await import('../index.js')
  const result = await followTraining((hooks) => train({ ...settings, ...hooks }))
  result.model.dispose()
  if (json) printJson({ best: result.best, metrics: result.metrics, output: settings.output })
  else print(describe(result))
}

function amountsOf(augmentation: boolean, augment: AugmentationOptions | undefined) {
  if (augmentation) return augment ? { augmentation: augment } : {}
  if (augment) fail('--augment', 'left out beside --no-augmentation', Object.keys(augment).join(', '))
  return { augmentation: false as const }
}

/** `rotation=15,shift=0.1`; which names there are is for the call to say. */
function readAmounts(text: string): AugmentationOptions {
  const entries = text.split(',').map((item) => {
    const [name = '', ...value] = item.split('=')
    return [
      readText(name.trim(), '--augment'),
      readNumber(value.join('=').trim(), `--augment ${name}`),
    ] as const
  })
  return Object.fromEntries(entries)
}

type GivenVotes = { readonly [K in keyof VotesFlags]: VotesFlags[K] | undefined }

async function readData(spec: string, { votes, votesUse, votesShare }: GivenVotes): Promise<Dataset> {
  const data = await readSpec(spec, '--data')
  if (votes === undefined) {
    if (votesUse !== undefined || votesShare !== undefined)
      fail('--votes', 'given beside --votes-use and --votes-share', undefined)
    return data
  }
  const { withVotes } = await import('../datasets/index.js')
  return withVotes(data, {
    file: votes,
    ...(votesUse === undefined ? {} : { use: votesUse }),
    ...(votesShare === undefined ? {} : { share: votesShare }),
  })
}

function describe({ best, stopped }: TrainResult): string {
  const { epoch, accuracy, path } = best
  const why = {
    patience: 'Stopped, since no better model came. ',
    maxMinutes: 'Stopped, since the time is over. ',
  }
  return `${stopped ? why[stopped] : ''}The best model is of epoch ${epoch}, ${percent(accuracy)} of the validation faces right: ${path}`
}
