import { createHash } from 'node:crypto'
import { cpus } from 'node:os'
import { chosenDevice, settled } from '../calls.js'
import type { DeviceName } from '../catalog.js'
import { FerError, plain } from '../errors.js'
import { decoderVersion } from '../images/decode.js'
import { ofFile, openFile } from '../model/weights.js'
import { native, type Trainer } from '../native.js'
import {
  type Check,
  fail,
  integer,
  number,
  optional,
  readOptions,
  type Shape,
  text,
} from '../options/check.js'
import { makePrefix, readHeaderOf } from '../safetensors.js'
import type { EpochEvent } from './events.js'
import type { TrainingFaces } from './faces.js'
import { type Provenance, versions } from './provenance.js'

const format = 'fer-torch checkpoint 1'

/** How far a run has come; with the trainer's tensors all that it takes to go on. */
export interface Progress {
  /** Steps done. */
  step: number
  /** Of the epoch that has begun and is not in the log yet. */
  epoch: { loss: number; steps: number; seconds: number }
  /** Of the whole run. */
  seconds: number
  log: EpochEvent[]
}

/** A checkpoint's header: the run's progress and what it was begun with. */
export interface Checkpoint {
  readonly progress: Progress
  readonly provenance: Provenance
  /** A digest of the very faces trained and validated on. */
  readonly faces: string
  readonly machine: Machine
}

/** What else decides the bits of a result. */
interface Machine {
  readonly processor: string
  readonly instructions: string
  readonly threads: number
  /** What decodes pictures. */
  readonly libvips: string
  /** `cpu`, or the name of the GPU. */
  readonly device: string
}

export const freshProgress = (): Progress => ({
  step: 0,
  epoch: { loss: 0, steps: 0, seconds: 0 },
  seconds: 0,
  log: [],
})

export function digestOf({ training, validation, classes }: TrainingFaces): string {
  const hash = createHash('sha256').update(JSON.stringify(classes))
  for (const { split, indices, labels, weight } of [...training, ...validation])
    hash.update(`${split.fingerprint} ${weight}`).update(Int32Array.from(indices)).update(labels)
  return hash.digest('hex')
}

export function machine(device: DeviceName): Machine {
  const { instructions, threads, gpus } = native.describe()
  const chosen = chosenDevice(device)
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    instructions,
    threads,
    libvips: decoderVersion,
    device: gpus[Number(chosen.split(':')[1])]?.name ?? chosen,
  }
}

/** Whole or not at all, as every file of a run. ERR_DIVERGED, and nothing written, where a weight is not finite. */
export async function writeCheckpoint(trainer: Trainer, path: string, checkpoint: Checkpoint): Promise<void> {
  await settled(() =>
    trainer.save(path, makePrefix(trainer.state(), { format, run: JSON.stringify(checkpoint) })),
  )
}

/** ERR_BAD_MODEL, naming the file, where its header is not one that `writeCheckpoint` wrote. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openFile(path)
  try {
    const { metadata } = await readHeaderOf(file, path)
    return parseCheckpoint(metadata, path)
  } finally {
    await file.close()
  }
}

function parseCheckpoint(
  { format: given, run = '' }: Readonly<Record<string, string>>,
  path: string,
): Checkpoint {
  if (given !== format) throw damaged(path, `its format is \`${plain(given)}\``)
  try {
    return readOptions<Checkpoint>(JSON.parse(run), checkpointShape, 'the header')
  } catch (error) {
    throw damaged(path, (error as Error).message)
  }
}

const count = integer(0, Number.MAX_SAFE_INTEGER)
const amount = number(0, Number.MAX_VALUE)
const isPrimitive = (value: unknown) => typeof value !== 'object' || value === null

const record: Check<Readonly<Record<string, unknown>>> = (value, name) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail(name, 'an object', value)

/** Fields, some of them groups of fields. */
const options: Check<Provenance['options']> = (value, name) => {
  const fields = record(value, name)
  const isFlat = (field: unknown) => isPrimitive(field) || Object.values(field as object).every(isPrimitive)
  if (!Object.values(fields).every(isFlat)) fail(name, 'options', value)
  return { ...fields, epochs: integer(1, 10000)(fields.epochs, `${name}.epochs`) }
}

const log: Check<EpochEvent[]> = (value, name) => {
  if (!Array.isArray(value)) fail(name, 'a list of epochs', value)
  return value.map((entry, i) => {
    const event = record(entry, `${name}[${i}]`)
    if (event.epoch !== i + 1) fail(`${name}[${i}].epoch`, String(i + 1), event.epoch)
    // The best epoch is found by these.
    for (const measured of event.averaged === undefined ? ['validation'] : ['validation', 'averaged']) {
      const metrics = record(event[measured], `${name}[${i}].${measured}`)
      for (const key of ['accuracy', 'nll']) amount(metrics[key], `${name}[${i}].${measured}.${key}`)
    }
    return event as unknown as EpochEvent
  })
}

const group =
  <T>(shape: Shape<T>): Check<T> =>
  (value, name) =>
    readOptions<T>(value, shape, name, `${name}.`)

const checkpointShape: Shape<Checkpoint> = {
  progress: group<Progress>({
    step: count,
    epoch: group({ loss: number(-Number.MAX_VALUE, Number.MAX_VALUE), steps: count, seconds: amount }),
    seconds: amount,
    log,
  }),
  provenance: (value, name) => {
    const given = record(value, name)
    const versions = record(given.versions, `${name}.versions`) as Record<string, string>
    return { ...given, versions, options: options(given.options, `${name}.options`) }
  },
  faces: text,
  machine: group<Machine>({
    processor: text,
    instructions: text,
    threads: count,
    libvips: text,
    device: optional(text, 'cpu'),
  }),
}

/** ERR_BAD_MODEL where the steps done are not those of the epochs done. */
export function checkPlace({ step, epoch, log }: Progress, stepsPerEpoch: number, path: string): void {
  const done = log.length * stepsPerEpoch
  if (step !== done + epoch.steps || epoch.steps > stepsPerEpoch)
    throw damaged(path, `${step} steps do not fit ${log.length} epochs of ${stepsPerEpoch}`)
}

/** Puts the tensors of a checkpoint back into a trainer made with the same options. */
export async function restore(trainer: Trainer, path: string, step: number): Promise<void> {
  const file = await openFile(path)
  try {
    const { tensors } = await readHeaderOf(file, path)
    await ofFile(path, () => trainer.restore({ descriptor: file.fd, path, tensors }, step))
  } finally {
    await file.close()
  }
}

const damaged = (path: string, what: string): FerError =>
  new FerError(
    'ERR_BAD_MODEL',
    `\`${path}\` is not a checkpoint of this package: ${what}. Name another folder for a new run; the models beside it are untouched`,
  )

/** Refuses to go on with a run that was begun otherwise, naming every difference. */
export function checkSameRun(
  folder: string,
  checkpoint: Checkpoint,
  provenance: Provenance,
  faces: string,
): void {
  const differences = [
    ...changes(checkpoint.provenance.options, provenance.options),
    ...(checkpoint.faces === faces ? [] : ['the faces, which are not those it was begun on']),
  ]
  if (differences.length === 0) return
  throw new FerError(
    'ERR_RESUME',
    `The run in \`${folder}\` was begun otherwise: ${differences.join('; ')}. Give what it was begun with, or name another folder`,
  )
}

/** What changed since and may change the bits of the result: reported, not refused. */
export function machineChanges({ machine: before, provenance }: Checkpoint, device: DeviceName): string[] {
  const bits = ({ ferTorch, libTorch }: Readonly<Record<string, string>>) => ({ ferTorch, libTorch })
  return changes({ ...before, ...bits(provenance.versions) }, { ...machine(device), ...bits(versions()) })
}

function changes(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const [old, current] = [flattened(before), flattened(now)]
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((key) => old.get(key) !== current.get(key))
    .map((key) => `\`${key}\` was ${show(old.get(key))}, is ${show(current.get(key))}`)
}

const show = (value: unknown): string => (value === undefined ? 'not given' : String(value))

/** Nested fields by their path, as `augmentation.flip`. */
function flattened(value: Readonly<Record<string, unknown>>, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, field]) =>
      typeof field === 'object' && field !== null
        ? [...flattened(field as Record<string, unknown>, `${prefix}${key}.`)]
        : [[prefix + key, field] as const],
    ),
  )
}
