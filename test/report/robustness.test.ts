import test from 'ava'
import { degradations } from '../../lib/images/degradations.js'
import { plot } from '../../lib/report/charts/frame.js'
import type { Degraded, RobustnessFacts } from '../../lib/report/robustness/facts.js'
import { kindOf } from '../../lib/report/robustness/kinds.js'
import { renderRobustness } from '../../lib/report/robustness/page.js'
import {
  attribute,
  byId,
  type Element,
  factsIn,
  isSound,
  type ParsedPage,
  parsePage,
  tableOf,
  tagged,
  textOf,
  withClass,
} from './parsed-page.js'
import { someDegraded, someRobustness } from './robustness-facts.js'

const page = (changes: Partial<RobustnessFacts> = {}): ParsedPage =>
  parsePage(renderRobustness(someRobustness(changes)))

const figureOf = (page: ParsedPage, kind: string): Element => byId(page, `of-${kind}`).parentNode as Element

/** The circles of a chart, from the left: the reference is a ring. */
const pointsOf = (figure: Element) =>
  tagged(figure, 'circle').map((circle) => ({
    x: Number(attribute(circle, 'cx')),
    y: Number(attribute(circle, 'cy')),
    isReference: attribute(circle, 'class') === 'mark',
    told: textOf(tagged(circle.parentNode as Element, 'title')[0]!),
  }))

/** Of the levels: those beneath the axis, but not its name further down. */
const ticksOf = (figure: Element): string[] =>
  tagged(figure, 'text')
    .filter((text) => Number(attribute(text, 'y')) === plot.bottom + 17)
    .map(textOf)

const kinds = [...new Set(degradations.map(({ kind }) => kind))]

test('the page is whole in itself, and tells what was measured', (t) => {
  const sound = isSound(t, renderRobustness(someRobustness()))
  t.deepEqual(tagged(sound, 'h1').map(textOf), ['runs/faces/best.safetensors'])
  t.deepEqual(tagged(sound, 'h3').map(textOf), [
    ...['Resolution', 'Blur', 'Noise', 'JPEG', 'Occlusion', 'Brightness', 'Saturation', 'Colour cast'],
  ])
  t.is(
    textOf(withClass(sound, 'lead')[0]!),
    '86.0 % of 500 faces right as they are; 95 % interval 83.0 to 89.0 %',
  )
  t.deepEqual(factsIn(sound), {
    Data: 'folder:faces',
    Split: 'validation',
    Precision: 'float32',
    Affinity: 'ema',
    Seed: '3',
  })
})

test('every degradation has words of its own, which no other has', (t) => {
  const told = degradations.map((row) => kindOf(row))
  for (const { title, across, explained } of told)
    t.true(title !== '' && across !== '' && explained !== undefined)
  t.is(new Set(told.map(({ title }) => title)).size, kinds.length)
})

test('a point stands at its accuracy, its whiskers at the ends of its interval', (t) => {
  const whole = page()
  const heightOf = (rate: number) => plot.bottom - rate * (plot.bottom - plot.top)
  for (const kind of kinds) {
    const rows = someDegraded().filter((row) => row.kind === kind)
    const figure = figureOf(whole, kind)
    const points = pointsOf(figure).filter(({ isReference }) => !isReference)
    t.is(points.length, rows.length)
    const whiskers = tagged(figure, 'g')
      .map((group) => attribute(tagged(group, 'path')[0]!, 'd')!)
      .map((path) => /^M[\d.]+ ([\d.]+)h8M([\d.]+) \1V([\d.]+)M[\d.]+ \3h8$/.exec(path)!.slice(1).map(Number))
    const ends = new Map(whiskers.map(([high, x, low]) => [x, [low, high]]))
    rows.forEach(({ accuracy, interval }, i) => {
      const { x, y } = points[i]!
      for (const [drawn, rate] of [
        [y, accuracy],
        [ends.get(x)![0], interval[0]],
        [ends.get(x)![1], interval[1]],
      ] as const)
        t.true(Math.abs(drawn! - heightOf(rate)) <= 0.051, `${kind}: ${drawn}, not ${heightOf(rate)}`)
    })
  }
})

test('levels stand evenly spaced within the axes, over their names', (t) => {
  const whole = page()
  for (const kind of kinds) {
    const figure = figureOf(whole, kind)
    const points = pointsOf(figure)
    const step = (plot.right - plot.left) / points.length
    // A tenth is the least that is drawn.
    for (const [i, { x }] of points.entries()) t.true(Math.abs(x - plot.left - (i + 0.5) * step) < 0.06)
    t.is(ticksOf(figure).length, points.length)
  }
  t.deepEqual(Object.fromEntries(kinds.map((kind) => [kind, ticksOf(figureOf(whole, kind)).join(' ')])), {
    resolution: 'as is 224 128 96 64 48 32 24 16',
    blur: '0 0.5 1 2 4',
    noise: '0 5 10 20 40',
    jpeg: 'as is 90 50 20 10 5',
    occlusion: '0 % 10 % 20 % 30 %',
    brightness: '0.4 0.6 0.8 1 1.25 1.6',
    saturation: '0 0.5 1 2',
    tint: 'as is warm cold green',
  })
})

test('the faces as they are: a ring where they belong, and a dashed line at their accuracy', (t) => {
  const whole = page()
  const places: Record<string, number> = {}
  for (const kind of kinds) {
    const figure = figureOf(whole, kind)
    const points = pointsOf(figure)
    const [ring, ...others] = points.filter(({ isReference }) => isReference)
    t.deepEqual(others, [])
    places[kind] = points.indexOf(ring!)
    t.is(ring!.told, 'as they are: 86.0 %, 83.0 to 89.0 %')
    const lines = tagged(figure, 'path').filter((path) => attribute(path, 'class') === 'ideal')
    t.deepEqual(
      lines.map((line) => attribute(line, 'd')),
      [`M${plot.left} ${ring!.y}H${plot.right}`],
    )
  }
  // At the mild end; but darker faces lie to one side of them and brighter ones to the other.
  const { brightness, saturation, ...atTheEnd } = places
  t.deepEqual([brightness, saturation], [3, 2])
  t.deepEqual(new Set(Object.values(atTheEnd)), new Set([0]))
})

test('amounts are joined by a line through all of them, colours of light are not', (t) => {
  const whole = page()
  for (const kind of kinds) {
    const figure = figureOf(whole, kind)
    const curves = tagged(figure, 'path').filter((path) => attribute(path, 'class')?.startsWith('curve'))
    const expected = `M${pointsOf(figure)
      .map(({ x, y }) => `${x},${y}`)
      .join('L')}`
    t.deepEqual(
      curves.map((curve) => attribute(curve, 'd')),
      kind === 'tint' ? [] : [expected],
      kind,
    )
  }
})

test('who does not see a chart is told every level of it', (t) => {
  const [description] = tagged(figureOf(page(), 'occlusion'), 'desc')
  t.is(
    textOf(description!),
    'as they are: 86.0 %, 83.0 to 89.0 %; 10 % covered: 84.8 %, 81.7 to 87.9 %; 20 % covered: 81.8 %, 78.4 to 85.2 %; 30 % covered: 77.3 %, 73.7 to 81.0 %.',
  )
})

test('where a level changes a part of the faces only, the chart says how many', (t) => {
  const some = someDegraded().map((row) =>
    row.kind === 'resolution' && (row.level as number) > 64
      ? { ...row, changed: 1200 - (row.level as number) }
      : row,
  )
  const whole = page({
    faces: 1500,
    degradations: some.map((row) => (row.changed === 500 ? { ...row, changed: 1500 } : row)),
  })
  const captionOf = (kind: string) => textOf(tagged(figureOf(whole, kind), 'figcaption')[0]!)
  t.regex(captionOf('resolution'), / Not all faces are changed: 976 at 224, 1,072 at 128, 1,104 at 96\.$/)
  t.notRegex(captionOf('blur'), /Not all/)
  const told = pointsOf(figureOf(whole, 'resolution')).map(({ told }) => told)
  t.regex(told[1]!, /^224 pixels: .*, 976 of 1,500 faces changed$/)
  t.regex(told[4]!, /^64 pixels: [\d., to%]+$/)
})

test('the table has a row a degradation, below the faces as they are', (t) => {
  const [head, none, ...rows] = tableOf(page(), 'Accuracy on 500 faces, made worse in one way at a time')
  t.deepEqual(head, ['Degradation', 'Accuracy', 'Drop in points', '95 % interval', 'Faces changed'])
  t.deepEqual(none, ['None', '86.0 %', '–', '83.0 to 89.0 %', '0'])
  t.is(rows.length, degradations.length)
  t.deepEqual(rows[0], ['Resolution, 224 pixels', '84.8 %', '1.2', '81.7 to 87.9 %', '500'])
  t.is(new Set(rows.map(([label]) => label)).size, rows.length, 'no two are called alike')
})

test('the worst of all stands at the head; where none is worse, none does', (t) => {
  const paragraphs = (whole: ParsedPage) => tagged(whole, 'p').map(textOf)
  t.true(
    paragraphs(page()).includes('Worst of all: Resolution, 16 pixels, at 35.3 %, a drop of 50.7 points.'),
  )
  const better = someDegraded().map((row) => ({ ...row, accuracy: 0.86, drop: 0 }))
  t.false(paragraphs(page({ degradations: better })).some((text) => text.startsWith('Worst')))
})

test('a drop that rounds to nothing has no sign, a gain has one', (t) => {
  const [row] = someDegraded() as [Degraded]
  const drops = [0.0004, -0.0004, -0.012, 1].map((drop) => ({ ...row, drop }))
  const [, , ...rows] = tableOf(
    page({ degradations: drops }),
    'Accuracy on 500 faces, made worse in one way at a time',
  )
  t.deepEqual(
    rows.map(([, , drop]) => drop),
    ['0.0', '0.0', '-1.2', '100.0'],
  )
})

test('kinds with few levels, kinds that are new, and no kinds at all', (t) => {
  const only = someDegraded().filter(({ kind, level }) => kind === 'brightness' && level === 0.4)
  t.deepEqual(ticksOf(figureOf(page({ degradations: only }), 'brightness')), ['0.4', '1'])
  const fog: Degraded = { ...only[0]!, kind: 'fog', level: 'thick', unit: 'density' }
  const foggy = isSound(t, renderRobustness(someRobustness({ degradations: [fog] })))
  t.deepEqual(ticksOf(figureOf(foggy, 'fog')), ['as is', 'thick'])
  t.is(textOf(byId(foggy, 'of-fog')), 'fog')
  t.deepEqual(tagged(isSound(t, renderRobustness(someRobustness({ degradations: [] }))), 'figure'), [])
})

test('what makes answers special is said', (t) => {
  t.deepEqual(withClass(page(), 'warning'), [])
  const [warning] = withClass(page({ affinity: 'batch' }), 'warning')
  t.regex(textOf(warning!), /depends on the other faces/)
  t.is(factsIn(page({ flip: true })).Answers, 'means with the mirror image')
})

test('names from outside are shown and never obeyed', (t) => {
  const hostile = '"><script>alert(1)</script>\u202e\u001b[31m'
  const facts = someRobustness({ model: hostile, data: hostile })
  const sound = isSound(t, renderRobustness(facts))
  t.is(textOf(tagged(sound, 'h1')[0]!), '"><script>alert(1)</script>??[31m')
  t.is(factsIn(sound).Data, '"><script>alert(1)</script>??[31m')
})
