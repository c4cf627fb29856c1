import type { Picture, Split } from '../../lib/datasets/dataset.js'

/** Two whole blocks of the 256 pictures that are recorded at once, and 188 more. */
export const count = 700

/** How faces that are there without any file misbehave. */
export interface Behaviour {
  /** Pictures from this one on are not read to their end, ever or before `hangsUntil`. */
  readonly hangsFrom?: number
  readonly hangsUntil?: Promise<unknown>
  /** Milliseconds that each takes to be read. */
  readonly delay?: number
  /** What reading picture `at` throws. */
  readonly failure?: { readonly at: number; readonly error: Error }
  /** Side of picture 0 and of the others; of some of them, by index. */
  readonly side?: number
  readonly sides?: Readonly<Record<number, number>>
  readonly label?: number
}

/** Faces of 48 x 48 pixels in colour, and the indices of those that were read, in order. */
export function countedFaces(behaviour: Behaviour = {}): { split: Split; reads: number[] } {
  const reads: number[] = []
  const read = async (index: number) => {
    reads.push(index)
    const { hangsFrom = count, hangsUntil = new Promise(() => {}), delay, failure } = behaviour
    if (index >= hangsFrom) await hangsUntil
    if (index === failure?.at) throw failure.error
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay))
    return pictureOf(index, behaviour.sides?.[index] ?? behaviour.side ?? 48)
  }
  const samples = Array.from({ length: count }, (_, index) => {
    return { name: `face ${index}`, label: behaviour.label ?? index % 7, read: () => read(index) }
  })
  const classes = Array.from({ length: 7 }, (_, label) => `class ${label}`)
  return { split: { classes, color: 'rgb', samples, fingerprint: 'counted faces' }, reads }
}

function pictureOf(index: number, side: number): Picture {
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * (index + 1)) % 251)
  return { data, width: side, height: side, channels: 3 }
}

export const options = { imageSize: 48, color: 'rgb', augmented: false } as const
