import { degradations } from '../../lib/images/degradations.js'
import type { Degraded, RobustnessFacts } from '../../lib/report/robustness/facts.js'

const faces = 500

/** An accuracy with an interval of about its width on 500 faces. */
const measured = (accuracy: number) => {
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / faces)
  return { accuracy, interval: [accuracy - half, accuracy + half] as const }
}

const clean = measured(0.86)

/** Every degradation there is, each level of a kind worse than the one before. */
export const someDegraded = (): Degraded[] =>
  degradations.map(({ kind, level, unit }, i) => {
    const step = i - degradations.findIndex((other) => other.kind === kind)
    const drop = 0.012 * (step + 1) ** 1.8
    return { kind, level, unit, changed: faces, drop, ...measured(0.86 - drop) }
  })

export const someRobustness = (changes: Partial<RobustnessFacts> = {}): RobustnessFacts => ({
  model: 'runs/faces/best.safetensors',
  data: 'folder:faces',
  split: 'validation',
  faces,
  seed: 3,
  affinity: 'ema',
  precision: 'float32',
  clean,
  degradations: someDegraded(),
  ...changes,
})
