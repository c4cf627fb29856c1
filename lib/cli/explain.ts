import type { Command } from 'commander'
import { trainingPrecisions } from '../catalog.js'
import type { Box, Explanation, OverlayOptions } from '../index.js'
import { fail } from '../options/check.js'
import { type ExplainOptions, explanationMaps, lonelyAffinities } from '../options/explain.js'
import {
  addFlags,
  boxFlag,
  choiceFlag,
  jsonFlag,
  loadModel,
  type ModelFlags,
  modelFlags,
  numberFlag,
  precisionFlag,
  textFlag,
  withDefault,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { print, printJson } from './output.js'
import { percent, table } from './table.js'

interface ExplainFlags extends ModelFlags, Pick<ExplainOptions, 'precision' | 'affinity'>, OverlayOptions {
  readonly box?: Box
  readonly output?: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch explain --model runs/faces/best.safetensors face.jpg --output why.png
  $ fer-torch explain --model best.safetensors --map evidence --class fear --output fear.png face.jpg
  $ fer-torch explain --model best.safetensors --json face.jpg

The PNG is the face in grey with a map over it. gradCam (Grad-CAM): what speaks for the class. evidence: what each
place adds to its logit, orange for it and blue against it. reach: how much ARM's de-albino counts each place.
With --json: { label, confidence, probabilities, rows, columns, gradCam, evidence, bias, reach? }, each map a list of
rows x columns numbers from the top left.`

export function addExplain(program: Command): void {
  const command = program.command('explain').description('show where in a face the answer comes from')
  command.argument('<image>', 'a picture of a face')
  addFlags(command, [
    ...modelFlags(),
    boxFlag('the face in the picture'),
    textFlag('--output <file>', 'a PNG to write'),
    withDefault(choiceFlag('--map <name>', explanationMaps, 'what it shows'), 'gradCam'),
    withDefault(textFlag('--class <name>', 'whose map'), "the answer's"),
    numberFlag('--side <n>', 'of the longer side of the PNG, in pixels'),
    withDefault(
      choiceFlag('--affinity <name>', lonelyAffinities, "where ARM's generic part comes from"),
      "the model's: ema",
    ),
    precisionFlag(trainingPrecisions),
    jsonFlag(),
  ])
  command.addHelpText('after', examples).action(runExplain)
}

async function runExplain(file: string, flags: ExplainFlags): Promise<void> {
  requireOutput(flags)
  const explanation = await interruptible((signal) => explainFace(file, flags, signal))
  if (flags.json) printJson(asJson(explanation))
  else print(describe(explanation))
}

/** What is said of a PNG that nobody asked for would be passed over. */
function requireOutput({ output, ...flags }: ExplainFlags): void {
  const said = (['map', 'class', 'side'] as const).find((name) => flags[name] !== undefined)
  if (output === undefined && said) fail('--output', `given beside --${said}`, undefined)
}

async function explainFace(
  file: string,
  { box, precision, affinity, output, map, class: name, side, ...flags }: ExplainFlags,
  signal: AbortSignal,
): Promise<Explanation> {
  await using model = await loadModel(flags)
  const options = {
    ...(box ? { box } : {}),
    ...(precision ? { precision } : {}),
    ...(affinity ? { affinity } : {}),
    signal,
  }
  const explanation = await model.explain(file, options)
  if (output === undefined) return explanation
  const { writeAtomically } = await import('../files.js')
  const overlay = { ...(map ? { map } : {}), ...(name ? { class: name } : {}), ...(side ? { side } : {}) }
  await writeAtomically(output, [await explanation.overlay(overlay)])
  return explanation
}

const asJson = ({ gradCam, evidence, reach, ...rest }: Explanation) => ({
  ...rest,
  gradCam: listed(gradCam),
  evidence: listed(evidence),
  ...(reach ? { reach: [...reach] } : {}),
})

const listed = (maps: Explanation['gradCam']) =>
  Object.fromEntries(Object.entries(maps).map(([name, map]) => [name, [...map]]))

/** The likeliest first; what its places say for and against it adds up, with the bias, to the logit. */
function describe({ probabilities, evidence, bias }: Explanation): string {
  const rows = Object.entries(probabilities)
    .sort((a, b) => b[1] - a[1])
    .map(([name, probability]) => {
      const sum = (sign: 1 | -1) =>
        evidence[name]!.reduce((total, value) => (value * sign > 0 ? total + value : total), 0)
      return [name, percent(probability), ...[sum(1), sum(-1), bias[name]!].map((value) => value.toFixed(2))]
    })
  return table([['class', 'probability', 'for it', 'against it', 'bias'], ...rows])
}
