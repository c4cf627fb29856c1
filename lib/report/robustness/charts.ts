import { type Level, levelChart } from '../charts/levels.js'
import type { Html } from '../page/html.js'
import { count, interval, percent } from '../page/numbers.js'
import type { Degraded, Measured, RobustnessFacts } from './facts.js'
import { type Kind, kindOf } from './kinds.js'

/** A chart a kind. */
export const charts = (facts: RobustnessFacts): Html[] =>
  [...grouped(facts.degradations)].map(([name, degraded]) => chartOf(name, degraded, facts))

function grouped(degradations: readonly Degraded[]): Map<string, Degraded[]> {
  const groups = new Map<string, Degraded[]>()
  for (const degraded of degradations) {
    const group = groups.get(degraded.kind)
    if (group) group.push(degraded)
    else groups.set(degraded.kind, [degraded])
  }
  return groups
}

function chartOf(name: string, degraded: readonly Degraded[], { clean, faces }: RobustnessFacts): Html {
  const kind = kindOf(degraded[0]!)
  const levels = degraded.map((measured) => levelOf(kind, measured, faces))
  levels.splice(placeOfUnchanged(kind, degraded), 0, unchangedLevel(kind, clean))
  const { title, across, ordered } = kind
  return levelChart({
    id: `of-${name}`,
    title,
    across,
    levels,
    joined: ordered,
    caption: captionOf(kind, degraded, faces),
  })
}

const levelOf = (
  kind: Kind,
  { level, accuracy, interval: range, changed }: Degraded,
  faces: number,
): Level => ({
  tick: kind.tick(String(level)),
  told: `${levelTold(kind, level)}: ${percent(accuracy)}, ${interval(range)}${changed < faces ? `, ${count(changed)} of ${count(faces)} faces changed` : ''}`,
  rate: accuracy,
  interval: range,
})

const unchangedLevel = ({ tick, unchanged }: Kind, { accuracy, interval: range }: Measured): Level => ({
  tick: unchanged === undefined ? 'as is' : tick(String(unchanged)),
  told: `as they are: ${percent(accuracy)}, ${interval(range)}`,
  rate: accuracy,
  interval: range,
  reference: true,
})

export const levelTold = ({ tick, told }: Kind, level: number | string): string => told(tick(String(level)))

/** Before the first level beyond it; at the mild end where no level is that of a face as it is. */
function placeOfUnchanged({ unchanged }: Kind, degraded: readonly Degraded[]): number {
  if (unchanged === undefined) return 0
  const beyond = degraded.findIndex(({ level }) => Number(level) > unchanged)
  return beyond < 0 ? degraded.length : beyond
}

function captionOf({ explained = '', tick }: Kind, degraded: readonly Degraded[], faces: number): string {
  const partly = degraded.filter(({ changed }) => changed < faces)
  const counts = partly.map(({ changed, level }) => `${count(changed)} at ${tick(String(level))}`)
  return counts.length > 0 ? `${explained} Not all faces are changed: ${counts.join(', ')}.` : explained
}
