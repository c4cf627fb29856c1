import type { Command } from 'commander'
import { addFlags, jsonFlag, numberFlag, withDefault } from './flags.js'
import { type MeasuringFlags, measureAndSave, measuringFlags } from './measuring.js'
import { print, printJson } from './output.js'

interface QuantizeFlags extends MeasuringFlags {
  readonly faces?: number
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch quantize --model runs/faces/best.safetensors --data folder:faces --output faces.safetensors
  $ fer-torch predict --model faces.safetensors --precision int8 face.jpg

Measures over training faces what the values within the model lie between, which --precision int8 needs, and writes the
model with these ranges. The weights stay as they are: every other precision answers as before.
With --json: { model, quantized: { data, split, faces } }.`

export function addQuantize(program: Command): void {
  const command = program
    .command('quantize')
    .description('measure a model over training faces, for precision int8')
  addFlags(command, [
    ...measuringFlags(),
    withDefault(
      numberFlag('--faces <n>', 'how many are measured at most, evenly spaced over the split'),
      '512',
    ),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runQuantize)
}

async function runQuantize({ json, faces, ...flags }: QuantizeFlags): Promise<void> {
  const { quantization } = await measureAndSave(flags, 'quantizing', (model, data, options) =>
    model.quantize(data, { ...options, ...(faces === undefined ? {} : { faces }) }),
  )
  const { ranges: _, ...quantized } = quantization!
  if (json) printJson({ model: flags.output, quantized })
  else print(`quantized on ${quantized.faces} faces (${quantized.split}): ${flags.output}`)
}
