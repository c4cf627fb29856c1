import type { Bench } from './bench.js'
import type { Row } from './report.js'

/** Measures and gives its rows. */
export type Suite = (bench: Bench) => Promise<readonly Row[]>

/** A suite is one file and one row here. Loaded when it runs: naming them must not load the addon. */
export const suites = {
  predict: async () => (await import('./suites/predict.js')).predictSuite,
  'cold-start': async () => (await import('./suites/cold-start.js')).coldStartSuite,
  photograph: async () => (await import('./suites/photograph.js')).photographSuite,
  arm: async () => (await import('./suites/arm.js')).armSuite,
  train: async () => (await import('./suites/train.js')).trainSuite,
  memory: async () => (await import('./suites/memory.js')).memorySuite,
} satisfies Record<string, () => Promise<Suite>>

export type SuiteName = keyof typeof suites
export const suiteNames = Object.keys(suites) as SuiteName[]
