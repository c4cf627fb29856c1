import { makePage, section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, interval, percent, points, unknown } from '../page/numbers.js'
import { factList, name, plainName, table } from '../page/parts.js'
import { charts, levelTold } from './charts.js'
import type { Degraded, RobustnessFacts } from './facts.js'
import { kindOf } from './kinds.js'

/** The page about a model on degraded faces, whole in itself. */
export const renderRobustness = (facts: RobustnessFacts): string =>
  makePage(`${plainName(facts.model)} on degraded faces, by fer-torch`, [
    heading(facts),
    section('charts', 'Accuracy', reading, html`<div class="pair">${charts(facts)}</div>`),
    section('numbers', 'The same in numbers', numbers(facts)),
  ])

function heading(facts: RobustnessFacts): Html {
  const { accuracy, interval: range } = facts.clean
  return html`<header>
<p class="kind">fer-torch robustness</p>
<h1>${name(facts.model)}</h1>
<p class="lead"><strong>${percent(accuracy)}</strong> of ${count(facts.faces)} faces right as they are; 95&nbsp;% interval ${interval(range)}</p>
${worst(facts)}
${warning(facts)}
${tiles(facts)}
</header>`
}

const warning = ({ affinity }: RobustnessFacts): Content =>
  affinity === 'batch'
    ? html`<p class="warning">With affinity <code>batch</code> each answer depends on the other faces of its batch.</p>`
    : undefined

function worst({ degradations }: RobustnessFacts): Content {
  const [least] = [...degradations].sort((a, b) => a.accuracy - b.accuracy)
  if (!least || least.drop <= 0) return undefined
  return html`<p>Worst of all: ${labelOf(least)}, at ${percent(least.accuracy)}, a drop of ${points(least.drop)} points.</p>`
}

const tiles = ({ split, precision, affinity, flip, seed, data }: RobustnessFacts): Html =>
  html`${factList([['Data', name(data)]], 'named')}${factList(
    [
      ['Split', split],
      ['Precision', precision],
      ['Affinity', affinity],
      ...(flip ? [['Answers', 'means with the mirror image'] as const] : []),
      ['Seed', seed],
    ],
    'tiles',
  )}`

const reading = html`<p class="note">How many of the faces are answered right, where all are made worse in one way. The dashed line and the
ring: the faces as they are. Whiskers: 95&nbsp;% intervals, of the choice of faces alone; as the faces are the same at every
level, two levels can be told apart better than their whiskers suggest. Levels stand evenly spaced, from mild to severe
unless the axis says otherwise; those that change no face are left out.</p>`

function numbers({ clean, faces, degradations }: RobustnessFacts): Html {
  const head = ['Degradation', 'Accuracy', 'Drop in points', '95 % interval', 'Faces changed']
  const rows = degradations.map((degraded) => [
    labelOf(degraded),
    percent(degraded.accuracy),
    points(degraded.drop),
    interval(degraded.interval),
    count(degraded.changed),
  ])
  const asTheyAre = ['None', percent(clean.accuracy), unknown, interval(clean.interval), count(0)]
  const caption = `Accuracy on ${count(faces)} faces, made worse in one way at a time`
  return table({ caption, head, rows: [asTheyAre, ...rows], best: 0 })
}

function labelOf(degraded: Degraded): string {
  const kind = kindOf(degraded)
  return `${kind.title}, ${levelTold(kind, degraded.level)}`
}
