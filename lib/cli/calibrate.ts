import type { Command } from 'commander'
import { splitNames } from '../datasets/dataset.js'
import type { SplitName } from '../index.js'
import {
  addFlags,
  choiceFlag,
  dataFlag,
  type InferenceFlags,
  jsonFlag,
  loadModel,
  type ModelFlags,
  modelFlags,
  numberFlag,
  precisionFlag,
  readSpec,
  textFlag,
  withDefault,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { print, printJson } from './output.js'
import { Progress } from './progress.js'

interface CalibrateFlags extends ModelFlags, Omit<InferenceFlags, 'affinity'> {
  readonly data: string
  readonly output: string
  readonly split?: SplitName
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch calibrate --model official.pth --data raf-db:datasets/raf-basic --output arm.safetensors

Checkpoints of the official ARM code lack the running mean representation that answers depend on, unless they are to
depend on the other faces of their batch. This computes it over training faces and writes a model of this package.
With --json: { model, calibrated: { data, split, faces } }.`

export function addCalibrate(program: Command): void {
  const command = program
    .command('calibrate')
    .description("compute ARM's running generic part over training faces, where a model lacks it")
  addFlags(command, [
    ...modelFlags(),
    dataFlag(),
    textFlag('--output <file>', 'the model to write').makeOptionMandatory(),
    withDefault(choiceFlag('--split <name>', splitNames, 'which faces of the data'), 'train'),
    withDefault(numberFlag('--batch-size <n>', 'faces computed at once'), '64'),
    precisionFlag(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runCalibrate)
}

async function runCalibrate({ json, ...flags }: CalibrateFlags): Promise<void> {
  const { model, calibrated } = await interruptible((signal) => calibrateModel(flags, signal))
  if (json) printJson({ model, calibrated })
  else print(`calibrated on ${calibrated.faces} faces (${calibrated.split}): ${model}`)
}

async function calibrateModel(flags: Omit<CalibrateFlags, 'json'>, signal: AbortSignal) {
  const { model: _, classes: __, data: spec, output, ...options } = flags
  const data = await readSpec(spec, '--data')
  const progress = new Progress()
  await using model = await loadModel(flags)
  try {
    await model.calibrate(data, {
      ...options,
      signal,
      onPack: (packed) => progress.packing(packed),
      onProgress: (done, total) => progress.count('calibrating', done, total),
    })
  } finally {
    progress.end()
  }
  await model.save(output)
  return { model: output, calibrated: model.info.provenance.calibrated as { split: string; faces: number } }
}
