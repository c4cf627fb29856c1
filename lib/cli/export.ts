import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { ExportOptions } from '../index.js'
import { exportAffinity } from '../options/export.js'
import { addFlags, jsonFlag, loadModel, type ModelFlags, modelFlags, textFlag, withDefault } from './flags.js'
import { print, printJson } from './output.js'
import { bytes } from './table.js'

interface ExportFlags extends ModelFlags, ExportOptions {
  readonly output: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch export --model runs/faces/best.safetensors --output faces.onnx

The file is ONNX of opset 17: images (N, 3, S, S), normalised, to logits (N, K), for any N. How a picture becomes input,
and the classes in the order of the logits, are in its metadata.
With --json: { output, bytes, imageSize, classes }.`

export function addExport(program: Command): void {
  const command = program.command('export').description('write a model as ONNX, for other runtimes')
  addFlags(command, [
    ...modelFlags(),
    textFlag('--output <file>', 'the ONNX file to write').makeOptionMandatory(),
    affinityFlag(),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runExport)
}

const affinityFlag = () =>
  withDefault(
    textFlag('--affinity <name>', "where ARM's generic part comes from: ema, none").argParser((text) =>
      exportAffinity(text, '--affinity'),
    ),
    "the model's: ema",
  )

async function runExport({ json, output, affinity, ...flags }: ExportFlags): Promise<void> {
  await using model = await loadModel(flags)
  await model.export(output, affinity ? { affinity } : {})
  const { size } = await stat(output)
  const { imageSize, classes } = model.info
  if (json) printJson({ output, bytes: size, imageSize, classes })
  else print(`${output}: ${bytes(size)}, ${imageSize} x ${imageSize} pixels to ${classes.length} classes`)
}
