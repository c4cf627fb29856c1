import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrefix } from '../../lib/safetensors.js'

export type Fields = Readonly<Record<string, unknown>>

/** An epoch's line of a log: 100 images a second for a minute. */
export const someLine = (epoch: number, accuracy: number, changes: Fields = {}): Fields => ({
  type: 'epoch',
  epoch,
  loss: 2 / epoch,
  imagesPerSecond: 100,
  seconds: 60,
  validation: {
    accuracy,
    nll: 1.5 - accuracy,
    ece: 0.05,
    intervals: { accuracy: [accuracy - 0.1, accuracy + 0.1] },
  },
  ...changes,
})

export const someLog = (...accuracies: readonly number[]): Fields[] =>
  accuracies.map((accuracy, i) => someLine(i + 1, accuracy))

export const someProvenance = (options: Fields = {}, changes: Fields = {}): Fields => ({
  versions: { ferTorch: '0.1.0', libTorch: '2.13.0', node: 'v20.20.2' },
  data: 'folder:faces',
  trainingFaces: 900,
  validatedOn: 'folder:faces, validation split',
  validationFaces: 100,
  options: { epochs: 3, seed: 0, ...options },
  ...changes,
})

export interface RunContent {
  /** Lines, or the text as it is. */
  readonly log?: readonly Fields[] | string
  /** Of `metrics.json`; absent of a run that has not ended. */
  readonly summary?: Fields | string
  /** What `last.safetensors` says of itself. */
  readonly model?: Fields
}

/** The files of a run, as train writes them. */
export async function writeRun(folder: string, { log, summary, model }: RunContent): Promise<string> {
  await mkdir(folder, { recursive: true })
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content)
  if (log) await write('log.jsonl', typeof log === 'string' ? log : linesOf(log))
  if (summary) await write('metrics.json', typeof summary === 'string' ? summary : JSON.stringify(summary))
  if (model) await write('last.safetensors', makePrefix([], { model: JSON.stringify(model) }))
  return folder
}

export const linesOf = (log: readonly Fields[]): string =>
  log.map((line) => `${JSON.stringify(line)}\n`).join('')

/** One that has ended after an epoch a minute. */
export const writeEndedRun = (
  folder: string,
  accuracies: readonly number[],
  provenance: Fields = someProvenance(),
): Promise<string> =>
  writeRun(folder, {
    log: someLog(...accuracies),
    summary: { seconds: 60 * accuracies.length, provenance },
  })
