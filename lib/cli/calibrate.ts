import type { Command } from 'commander'
import { addFlags, type InferenceFlags, jsonFlag, numberFlag, precisionFlag, withDefault } from './flags.js'
import { type MeasuringFlags, measureAndSave, measuringFlags } from './measuring.js'
import { print, printJson } from './output.js'

interface CalibrateFlags extends MeasuringFlags, Omit<InferenceFlags, 'affinity'> {
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
    ...measuringFlags(),
    withDefault(numberFlag('--batch-size <n>', 'faces computed at once'), '64'),
    precisionFlag(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runCalibrate)
}

async function runCalibrate({ json, batchSize, precision, ...flags }: CalibrateFlags): Promise<void> {
  const { provenance } = await measureAndSave(flags, 'calibrating', (model, data, options) =>
    model.calibrate(data, {
      ...options,
      ...(batchSize === undefined ? {} : { batchSize }),
      ...(precision ? { precision } : {}),
    }),
  )
  const calibrated = provenance.calibrated as { readonly split: string; readonly faces: number }
  if (json) printJson({ model: flags.output, calibrated })
  else print(`calibrated on ${calibrated.faces} faces (${calibrated.split}): ${flags.output}`)
}
