import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { splitNames } from '../datasets/dataset.js'
import type { DegradedAccuracy, Robustness, SplitName } from '../index.js'
import { points } from '../report/page/numbers.js'
import type { RobustnessFacts } from '../report/robustness/facts.js'
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
  textFlag,
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
  readonly output?: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch robustness --model runs/faces/best.safetensors --data folder:faces
  $ fer-torch robustness --model runs/faces/best.safetensors --data folder:faces --output robustness.html
  $ fer-torch robustness --model best.safetensors --data fer2013:datasets/fer2013 --limit 500 --json

Makes the faces worse in one way at a time (fewer pixels, blur, noise, JPEG, a block in the way, other light, other
colours) and says how far the accuracy falls. What would change no face is left out. --output writes a page with a chart
a degradation, in one file. Data without validation faces need another --split.
With --json: { faces, clean: { accuracy, interval }, degradations: [{ kind, level, unit, changed, accuracy, interval,
drop }], ... }, every rate a fraction from 0 to 1, every interval one of 95 %; changed says how many faces it changes.`

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
    textFlag('--output <file>', 'an HTML page to write'),
    ...inferenceFlags(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runRobustness)
}

async function runRobustness({ json, output, ...flags }: RobustnessFlags): Promise<void> {
  if (output !== undefined) await requireWritable(output)
  const result = await interruptible((signal) => measureModel(flags, signal))
  warnAboutAffinity(result.affinity)
  // What took minutes is told first: the page may fail.
  if (json) printJson(result)
  else print(describe(result))
  if (output !== undefined)
    await writePage({ ...result, model: flags.model ?? 'the model that ships with fer-torch' }, output)
}

/** A folder that is not there is better known before the faces are measured. */
async function requireWritable(output: string): Promise<void> {
  const { writing } = await import('../files.js')
  await writing(output, () => access(dirname(output), constants.W_OK))
}

async function writePage(facts: RobustnessFacts, output: string): Promise<void> {
  const [{ renderRobustness }, { writeAtomically }] = await Promise.all([
    import('../report/robustness/page.js'),
    import('../files.js'),
  ])
  await writeAtomically(output, renderRobustness(facts))
}

async function measureModel(
  flags: Omit<RobustnessFlags, 'json' | 'output'>,
  signal: AbortSignal,
): Promise<Robustness> {
  const { model: _, classes: __, data: spec, ...options } = flags
  const data = await readSpec(spec, '--data')
  const { robustness } = await import('../index.js')
  await using model = await loadModel(flags)
  return await showProgress('degrading faces', ({ onProgress }) =>
    robustness(model, data, { ...options, onProgress, signal }),
  )
}

function describe({ faces, split, affinity, precision, flip, clean, degradations }: Robustness): string {
  const whole = facts({
    faces: `${faces} (${split})`,
    accuracy: `${percent(clean.accuracy)}, ${range(clean.interval)}`,
    answers: `precision ${precision}, affinity ${affinity}${flip ? ', mean with the mirror image' : ''}`,
  })
  const head = ['degradation', 'level', '', 'changed', 'accuracy', '95 % interval', 'drop in points']
  return `${whole}\n\n${table([head, ...degradations.map(rowOf)], [0, 2])}`
}

const rowOf = ({ kind, level, unit, changed, accuracy, interval, drop }: DegradedAccuracy): string[] => [
  kind,
  String(level),
  unit,
  String(changed),
  percent(accuracy),
  range(interval),
  points(drop),
]

const range = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`
