import type { Command } from 'commander'
import { splitNames } from '../datasets/dataset.js'
import type { DegradedAccuracy, Robustness, SplitName } from '../index.js'
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
  numberFlag,
  readSpec,
  withDefault,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { print, printJson, warnAboutAffinity } from './output.js'
import { showProgress } from './progress.js'
import { facts, percent, table } from './table.js'

interface RobustnessFlags extends ModelFlags, InferenceFlags {
  readonly data: string
  readonly split?: SplitName
  readonly limit?: number
  readonly seed?: number
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch robustness --model runs/faces/best.safetensors --data folder:faces
  $ fer-torch robustness --model best.safetensors --data fer2013:datasets/fer2013 --limit 500 --json

Makes the faces worse in one way at a time (fewer pixels, blur, noise, JPEG, a block in the way, other light, other
colours) and says how far the accuracy falls. What would change no face is left out.
With --json: { faces, clean: { accuracy, interval }, degradations: [{ kind, level, accuracy, interval, drop }], ... },
every rate a fraction from 0 to 1, every interval one of 95 %.`

export function addRobustness(program: Command): void {
  const command = program.command('robustness').description('measure a model on faces that are made worse')
  addFlags(command, [
    ...modelFlags(),
    dataFlag(),
    withDefault(choiceFlag('--split <name>', splitNames, 'which faces of the data'), 'validation'),
    withDefault(
      numberFlag('--limit <n>', 'how many are measured at most, evenly spaced over the split'),
      '1000',
    ),
    withDefault(numberFlag('--seed <n>', 'of the noise and the places of the blocks'), '0'),
    ...inferenceFlags(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runRobustness)
}

async function runRobustness({ json, ...flags }: RobustnessFlags): Promise<void> {
  const result = await interruptible((signal) => measureModel(flags, signal))
  warnAboutAffinity(result.affinity)
  if (json) printJson(result)
  else print(describe(result))
}

async function measureModel(flags: Omit<RobustnessFlags, 'json'>, signal: AbortSignal): Promise<Robustness> {
  const { model: _, classes: __, data: spec, ...options } = flags
  const data = await readSpec(spec, '--data')
  const { robustness } = await import('../index.js')
  await using model = await loadModel(flags)
  return await showProgress('degrading faces', ({ onProgress }) =>
    robustness(model, data, { ...options, onProgress, signal }),
  )
}

function describe({ faces, split, affinity, precision, clean, degradations }: Robustness): string {
  const whole = facts({
    faces: `${faces} (${split})`,
    accuracy: `${percent(clean.accuracy)}, ${range(clean.interval)}`,
    answers: `precision ${precision}, affinity ${affinity}`,
  })
  const head = ['degradation', 'level', '', 'faces', 'accuracy', '95 % interval', 'drop']
  return `${whole}\n\n${table([head, ...degradations.map(rowOf)], [0, 2])}`
}

const rowOf = ({ kind, level, unit, changed, accuracy, interval, drop }: DegradedAccuracy): string[] => [
  kind,
  String(level),
  unit,
  String(changed),
  percent(accuracy),
  range(interval),
  percent(drop),
]

const range = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`
