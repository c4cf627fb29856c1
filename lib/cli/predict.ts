import type { Command } from 'commander'
import type { Box, FerError, Prediction } from '../index.js'
import {
  addFlags,
  boxFlag,
  type InferenceFlags,
  inferenceFlags,
  jsonFlag,
  loadModel,
  type ModelFlags,
  modelFlags,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { complain, exitCodes, print, printJson, warnAboutAffinity } from './output.js'
import { percent, table } from './table.js'

interface PredictFlags extends ModelFlags, InferenceFlags {
  readonly box?: Box
  readonly logits?: true
  readonly json?: true
}

type Answer = ({ readonly file: string } & Prediction) | { readonly file: string; readonly error: string }

const examples = `
Examples:
  $ fer-torch predict --model runs/faces/best.safetensors face.jpg
  $ fer-torch predict --model best.safetensors --box 80,40,160,160 --json group.jpg
  $ fer-torch predict --model best.safetensors --json faces/*.png

The model expects pictures cut to one face: name it with --box, in pixels of the upright picture.
With --json: [{ file, label, confidence, probabilities, logits? }] in the order given; a picture that cannot be read
has { file, error } in its place, and the exit code is 1.`

export function addPredict(program: Command): void {
  const command = program.command('predict').description('name the expression in pictures of faces')
  command.argument('<image...>', 'pictures, one face each')
  addFlags(command, [...modelFlags(), boxFlag('the face in each picture'), ...inferenceFlags()])
  command.option('--logits', 'give the logits too, with --json').addOption(jsonFlag())
  command.addHelpText('after', examples).action(runPredict)
}

async function runPredict(files: readonly string[], flags: PredictFlags): Promise<void> {
  const answers = await interruptible((signal) => answer(files, flags, signal))
  warnAboutAffinity(flags.affinity)
  if (flags.json) printJson(answers)
  else printLines(answers)
  for (const failed of answers.filter((given) => 'error' in given)) {
    complain(failed.error)
    process.exitCode = exitCodes.failure
  }
}

async function answer(
  files: readonly string[],
  { json, classes, ...flags }: PredictFlags,
  signal: AbortSignal,
): Promise<Answer[]> {
  const { predict } = await import('../index.js')
  await using model = await loadModel({ model: flags.model, ...(classes ? { classes } : {}) })
  const results = await predict(files, { ...flags, model, onError: 'return', signal })
  return files.map((file, i) => toAnswer(file, results[i]!))
}

const toAnswer = (file: string, result: Prediction | FerError): Answer =>
  result instanceof Error ? { file, error: result.message } : { file, ...result }

function printLines(answers: readonly Answer[]): void {
  const rows = answers.flatMap((given) => ('error' in given ? [] : [describe(given)]))
  if (rows.length > 0) print(table(rows, [0, 1, 3]))
}

function describe({ file, label, confidence, probabilities }: Answer & Prediction): string[] {
  const [second] = Object.entries(probabilities)
    .filter(([name]) => name !== label)
    .sort((a, b) => b[1] - a[1])
  return [file, label, percent(confidence), ...(second ? [`then ${second[0]} ${percent(second[1])}`] : [])]
}
