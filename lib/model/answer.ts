import { FerError } from '../errors.js'
import { softmax } from '../metrics/index.js'
import { tempered } from '../metrics/temperature.js'
import type { ModelInfo } from './info.js'

/** What the model sees in one face. */
export interface Answer {
  readonly label: string
  /** The label's probability. */
  readonly confidence: number
  /** By class, in the model's order; they add up to 1. */
  readonly probabilities: Readonly<Record<string, number>>
}

/** From the logits of one face (K), as the network gives them, and the same divided by the model's temperature. */
export function answerOf(given: Float32Array, info: ModelInfo): { answer: Answer; logits: Float32Array } {
  const { classes, temperature } = info
  const logits = tempered(given, temperature)
  if (!logits.every(Number.isFinite)) {
    throw new FerError(
      'ERR_BAD_MODEL',
      'The model answers with numbers that are not finite: its weights are damaged. Train it anew',
    )
  }
  const probabilities = softmax(logits)
  const top = probabilities.indexOf(Math.max(...probabilities))
  const answer = {
    label: classes[top]!,
    confidence: probabilities[top]!,
    probabilities: byClass(classes, (_, i) => probabilities[i]!),
  }
  return { answer, logits }
}

export const byClass = <T>(
  classes: readonly string[],
  value: (name: string, index: number) => T,
): Record<string, T> => Object.fromEntries(classes.map((name, i) => [name, value(name, i)]))
