import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Model, Quantization } from '../index.js'
import { jsonFlag, readText } from './flags.js'
import { print, printJson } from './output.js'
import { bytes, facts } from './table.js'

const examples = `
Examples:
  $ fer-torch inspect runs/faces/best.safetensors
  $ fer-torch inspect best.safetensors --json`

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('say what a model file holds, and where it comes from')
  command.argument('<model>', 'a model that train wrote, or a PyTorch checkpoint', (text: string) =>
    readText(text, 'MODEL'),
  )
  command.addOption(jsonFlag()).addHelpText('after', examples).action(runInspect)
}

async function runInspect(file: string, { json }: { readonly json?: true }): Promise<void> {
  const { Model } = await import('../index.js')
  // Loaded whole, so that a damaged file does not pass for a good one.
  await using model = await Model.load(file)
  const { size } = await stat(file)
  if (json) printJson({ file, bytes: size, calibrated: model.calibrated, ...model.info })
  else print(describe(file, size, model))
}

function describe(file: string, size: number, { info, calibrated }: Model): string {
  const { backbone, head, stem, imageSize, color, affinity, classes, quantization, provenance } = info
  const uncalibrated = { 'generic part': 'none: calibrate the model, or use it with --affinity none' }
  return facts({
    file: `${file} (${bytes(size)})`,
    network: `${backbone}, head ${head}, stem ${stem}, affinity ${affinity}`,
    input: `${imageSize} x ${imageSize} pixels, ${color}`,
    classes: classes.join(', '),
    ...(calibrated ? {} : uncalibrated),
    ...(quantization ? { quantized: describeQuantization(quantization) } : {}),
    ...Object.fromEntries(Object.entries(provenance).map(([name, value]) => [spaced(name), inline(value)])),
  })
}

const describeQuantization = ({ faces, split, data }: Quantization): string =>
  `on ${faces} faces of ${split} of ${data}`

const spaced = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** Nested fields as `name value`, one line in all. */
function inline(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(6)))
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(
      ([name, field]) =>
        `${name} ${typeof field === 'object' && field ? `(${inline(field)})` : inline(field)}`,
    )
    .join(', ')
}
