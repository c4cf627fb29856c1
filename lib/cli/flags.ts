import { type Command, Option } from 'commander'
import { affinities, precisions } from '../catalog.js'
import type { Dataset } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { Box, Model } from '../index.js'
import { fail, oneOf } from '../options/check.js'
import type { InferenceOptions } from '../options/inference.js'
import { complain } from './output.js'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** What `Number` would read from an empty text or 0x10 is nobody's intention. */
export const readNumber = (text: string, name: string): number =>
  decimal.test(text) ? Number(text) : fail(name, 'a number', text)

export const readText = (text: string, name: string): string =>
  text === '' ? fail(name, 'a non-empty text', text) : text

/** Which numbers fit is for the call to say that takes them: there is one list of ranges. */
export const numberFlag = (flags: string, description: string): Option => flag(flags, description, readNumber)

export const textFlag = (flags: string, description: string): Option => flag(flags, description, readText)

export function choiceFlag(flags: string, names: readonly string[], description: string): Option {
  return flag(flags, `${description}: ${names.join(', ')}`, oneOf(names))
}

export interface ModelFlags {
  readonly model?: string | undefined
  readonly classes?: readonly string[]
}

const classesFlag = (): Option =>
  withDefault(
    textFlag('--classes <a,b,...>', 'the classes of a PyTorch checkpoint, in its order').argParser((text) =>
      text.split(',').map((name) => readText(name.trim(), '--classes')),
    ),
    "RAF-DB's",
  )

export const modelFlags = (): Option[] => [
  withDefault(
    textFlag('--model <file>', 'a model that train wrote, or a PyTorch checkpoint'),
    'the one that ships with fer-torch',
  ),
  classesFlag(),
]

/** The model that the flags name; says what is only assumed of it. */
export async function loadModel({ model: path, classes }: ModelFlags): Promise<Model> {
  const { Model } = await import('../index.js')
  const model = await Model.load(path, classes ? { classes } : {})
  const { assumed } = model.info.provenance
  // A model saved from a checkpoint has been looked at once.
  if (path !== undefined && assumed !== undefined && !classes && !path.endsWith('.safetensors'))
    complain(`${path} says nothing of its input and classes. Assumed: ${assumed}`)
  return model
}

const dataKinds = 'fer2013:PATH, raf-db:PATH, folder:PATH or synthetic:COUNT'

export const dataFlag = (): Option => textFlag('--data <spec>', dataKinds).makeOptionMandatory()

export const jsonFlag = (): Option =>
  new Option('--json', 'print one JSON document on stdout, and nothing else there')

function flag(flags: string, description: string, read: (text: string, name: string) => unknown): Option {
  const option = new Option(flags, description)
  return option.argParser((text) => read(text, option.long!))
}

/** The description, with the default that the call fills in where the flag is left out. */
export const withDefault = (option: Option, value: string): Option => {
  option.description += ` (default: ${value})`
  return option
}

export type InferenceFlags = Pick<
  InferenceOptions,
  'batchSize' | 'precision' | 'device' | 'affinity' | 'flip'
>

export const precisionFlag = (names: readonly string[] = precisions): Option =>
  withDefault(choiceFlag('--precision <name>', names, 'arithmetic'), 'auto')

export const deviceFlag = (): Option =>
  withDefault(textFlag('--device <name>', 'where to compute: cpu, cuda or cuda:N'), 'auto')

export const inferenceFlags = (): Option[] => [
  withDefault(
    choiceFlag('--affinity <name>', affinities, "where ARM's generic part comes from"),
    "the model's: ema",
  ),
  withDefault(numberFlag('--batch-size <n>', 'faces computed at once'), '64'),
  precisionFlag(),
  deviceFlag(),
  new Option('--flip', 'answer the mean of each picture and its mirror image, at twice the cost'),
]

export const boxFlag = (description: string): Option =>
  withDefault(textFlag('--box <left,top,width,height>', description).argParser(readBox), 'all of it')

function readBox(text: string): Box {
  const sides = text.split(',').map((side) => readNumber(side.trim(), '--box'))
  const [left, top, width, height] = sides as [number, number, number, number]
  const fits = sides.length === 4 && sides.every((side) => Number.isSafeInteger(side) && side >= 0)
  if (fits && width > 0 && height > 0) return { left, top, width, height }
  return fail('--box', 'left,top,width,height in whole pixels, such as 80,40,160,160', text)
}

export function addFlags(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}

/** The data set that a flag names, as `folder:PATH`. An error names the flag. */
export async function readSpec(spec: string, name: string): Promise<Dataset> {
  const { parseSpec } = await import('../datasets/index.js')
  try {
    return parseSpec(spec)
  } catch (error) {
    if (!(error instanceof FerError)) throw error
    throw new FerError(error.code, `${name} ${spec}: ${error.message}`, { cause: error })
  }
}

/** The same error with `batchSize` called `--batch-size`, where the command has such a flag. */
export function namingFlags(error: unknown, command: Command | undefined): unknown {
  if (!(error instanceof FerError) || !command) return error
  const named = error.message.replace(/`(\w+)`/g, (field, name) => {
    const option = command.options.find((option) => option.attributeName() === name)
    // A folder may be called as a field is.
    return option?.long && !process.argv.includes(name) ? `\`${option.long}\`` : field
  })
  return named === error.message ? error : new FerError(error.code, named, { cause: error })
}
