/** What models are chosen by. */
export interface Ranked {
  readonly accuracy: number
  /** Unknown counts as the worst. */
  readonly nll?: number
}

/** Whether one is better than the best so far: by accuracy; of two alike, the more certain of the truth. */
export function isBetter(measured: Ranked, best: Ranked | undefined): boolean {
  if (!best || measured.accuracy !== best.accuracy) return measured.accuracy > (best?.accuracy ?? -1)
  return (measured.nll ?? Infinity) < (best.nll ?? Infinity)
}
