import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import { measure } from '../../lib/metrics/index.js'
import { lineChart } from '../../lib/report/charts/lines.js'
import { dark, deepestShade, light } from '../../lib/report/page/palette.js'
import type { Answers, EpochFacts, RunFacts } from '../../lib/report/run/facts.js'
import { worstMistakes } from '../../lib/report/run/mistakes.js'
import { renderRun } from '../../lib/report/run/page.js'
import { reliabilityOf } from '../../lib/report/run/reliability.js'
import { thumbnail } from '../../lib/report/run/thumbnail.js'
import {
  attribute,
  childrenOf,
  type Element,
  factsIn,
  isSound,
  type ParsedPage,
  parsePage,
  sectionOf,
  tableOf,
  tagged,
  textOf,
  withClass,
} from './parsed-page.js'
import {
  averagedEpochs,
  averagedFacts,
  classes,
  rightAnswers,
  someAnswers,
  someEpochs,
  someFacts,
  someMistakes,
} from './run-facts.js'

const rightFacts = (): Partial<RunFacts> => {
  const answers = rightAnswers(14, classes.length)
  const metrics = measure(answers.logits, answers.labels, classes)
  return { answers, mistakes: [], best: { epoch: 1, weights: 'trained', metrics } }
}

const variants: Readonly<Record<string, RunFacts>> = {
  'a run': someFacts(),
  'a run with an average of the weights and a temperature': averagedFacts(),
  'a run of one epoch': someFacts({ epochs: averagedEpochs(1), plannedEpochs: 1 }),
  'a run of 400 epochs': someFacts({ epochs: averagedEpochs(400), plannedEpochs: 400 }),
  'a run without a mistake': someFacts(rightFacts()),
  'a run that says nothing of its making': someFacts({ provenance: {}, machine: {}, notes: [] }),
  'a run that an older version began': someFacts({
    // What the first version wrote, and a line that lacks even more.
    epochs: someEpochs(3).map(({ epoch, loss, validation: { accuracy, nll } }, i) => ({
      epoch,
      loss: i === 1 ? undefined : loss,
      validation: { accuracy, nll: i === 1 ? undefined : nll },
    })) as unknown as EpochFacts[],
    seconds: Number.NaN,
  }),
}

for (const [what, facts] of Object.entries(variants)) {
  test(`the page of ${what} is well-formed, accessible and whole in itself`, (t) => {
    const page = isSound(t, renderRun(facts))
    t.deepEqual(tagged(page, 'h2').map(textOf), [
      ...['Curves', 'Classes', 'Calibration', 'Worst mistakes'],
      ...['Data', 'Cost', 'Options', 'Versions and machine'],
    ])
  })
}

// What it says.

test('the heading says how good the model is, and on what grounds', (t) => {
  // Of 140 faces every fifth, 28, is answered wrong: 112 right. Calibration and intervals have their own tests.
  const page = parsePage(renderRun(someFacts({ stopped: 'the time was over' })))
  t.is(textOf(tagged(page, 'h1')[0]), 'first')
  t.is(textOf(tagged(page, 'title')[0]), 'first: 80.0 %, a fer-torch run')
  const { intervals, nll, ece } = someFacts().best.metrics
  const [low, high] = intervals.accuracy.map((end) => (100 * end).toFixed(1))
  const header = tagged(page, 'header')[0]
  t.is(
    textOf(withClass(page, 'lead')[0]),
    `80.0 % of 140 validation faces right; 95 % interval ${low} to ${high} %`,
  )
  t.deepEqual(factsIn(header), {
    'Mean class accuracy': '80.0 %',
    'Macro F1': '80.0 %',
    'Negative log-likelihood': nll.toFixed(3),
    'Calibration error': `${(100 * ece).toFixed(1)} %`,
    'Best epoch': '28',
    'Epochs trained': '30 of 40',
  })
  t.regex(textOf(header), /also chose the epoch.*evaluate the model on a test split/)
  t.regex(textOf(header), /Stopped after 30 of 40 epochs: the time was over\./)
})

test('a model that is an average of the weights is called one', (t) => {
  t.is(factsIn(parsePage(renderRun(averagedFacts())))['Best epoch'], '29, average')
})

test('the confusion matrix counts the answers of each class, with their share of its faces', (t) => {
  const answers = randomAnswers(200, 3)
  const metrics = measure(answers.logits, answers.labels, ['fear', 'anger', 'neutral'])
  const page = parsePage(renderRun(someFacts({ answers, best: { epoch: 1, weights: 'trained', metrics } })))
  const table = tagged(sectionOf(page, 'classes'), 'table')[0]
  const [head, ...rows] = tagged(table, 'tr').map((row) => tagged(row, 'th', 'td'))
  t.deepEqual(head.slice(1).map(textOf), ['fear', 'anger', 'neutral'])
  for (const [truth, [label, ...cells]] of rows.entries()) {
    t.is(textOf(label), ['fear', 'anger', 'neutral'][truth])
    const faces = facesOf(answers).filter((face) => face.truth === truth)
    for (const [answer, cell] of cells.entries()) {
      const count = faces.filter((face) => face.answer === answer).length
      const share = count / faces.length
      t.is(textOf(cell), `${count} ${(100 * share).toFixed(0)} %`)
      t.is(attribute(cell, 'style'), `--share:${Math.sqrt(share).toFixed(3)}`)
      t.is(attribute(cell, 'class'), truth === answer ? 'hit' : undefined)
    }
  }
})

test('a share of no faces, or of no answers, is shown as unknown rather than as 0 %', (t) => {
  // Two classes; no face shows the second, and no answer is the third.
  const logits = Float32Array.of(2, 0, 0, 0, 2, 0, 0, 2, 0)
  const metrics = measure(logits, [0, 0, 2], ['a', 'b', 'c'])
  const page = isSound(
    t,
    renderRun(
      someFacts({
        answers: { logits, labels: [0, 0, 2], classCount: 3 },
        best: { ...someFacts().best, metrics },
      }),
    ),
  )
  const rows = tableOf(page, 'Class by class').slice(1)
  const of = (row: readonly string[]) => [row[0], row[1], row[2], row[4], row[5]]
  // Precision, recall and F1: a is answered once, rightly, of two faces; b is answered twice, never rightly.
  t.deepEqual(rows.map(of), [
    ['a', '100.0 %', '50.0 %', '66.7 %', '2'],
    ['b', '0.0 %', '–', '0.0 %', '0'],
    ['c', '–', '0.0 %', '0.0 %', '1'],
  ])
  t.is(rows[1][3], '–', 'nor is there an interval')
})

test('each epoch is a row, and the best one stands out', (t) => {
  const epochs = averagedEpochs(30)
  const page = parsePage(renderRun(averagedFacts({ epochs })))
  const [head, ...rows] = tableOf(page, 'Epoch by epoch, the best one bold')
  t.deepEqual(head, [
    ...['Epoch', 'Training loss', 'Accuracy', 'NLL'],
    ...['Accuracy, average', 'NLL, average', 'Images/s'],
  ])
  t.is(rows.length, 30)
  const { loss, validation, averaged } = epochs[11]
  t.deepEqual(rows[11], [
    '12',
    loss.toFixed(3),
    `${(100 * validation.accuracy).toFixed(2)} %`,
    validation.nll.toFixed(3),
    `${(100 * averaged!.accuracy).toFixed(2)} %`,
    averaged!.nll.toFixed(3),
    '200',
  ])
  t.deepEqual(
    withClass(page, 'best').map((row) => textOf(tagged(row, 'th')[0])),
    ['29'],
  )
})

test('what the run was made of and what it cost is listed', (t) => {
  const facts = someFacts({
    provenance: {
      ...someFacts().provenance,
      pretrained: { path: 'weights/resnet18.pth', taken: 3 },
      options: { epochs: 40, noise: Math.sqrt(30), off: false, list: ['a', 2], augmentation: { flip: 0.5 } },
    },
  })
  const page = isSound(t, renderRun(facts))
  t.deepEqual(factsIn(sectionOf(page, 'data')), {
    'Trained on': 'folder:faces',
    'Validated on': 'a held-out tenth of the training faces',
    'Weights begun with': 'weights/resnet18.pth',
    'Training faces': '12,345',
    'Validation faces': '140',
    'Copies left out of training': '7',
  })
  t.regex(textOf(sectionOf(page, 'data')), /3 rows without a face were left out/)
  // 200 images a second in every epoch.
  t.deepEqual(factsIn(sectionOf(page, 'cost')), {
    'Time, training and validation': '31 min', // 1830 seconds
    'Training images a second': '200',
    'Largest memory of the process': '1.25 GB',
  })
  t.deepEqual(factsIn(sectionOf(page, 'options')), {
    epochs: '40',
    noise: '5.47722558', // the square root of 30, to nine digits
    off: 'false',
    list: 'a, 2',
    'augmentation.flip': '0.5',
  })
  t.deepEqual(factsIn(sectionOf(page, 'versions')), {
    ...{ ferTorch: '0.1.0', libTorch: '2.13.0', node: 'v20.20.2' },
    ...{ processor: 'Some processor', threads: '2' },
  })
  t.regex(textOf(tagged(page, 'main')[0]), /Written 2026-01-02 03:04 UTC by fer-torch about the run first\.$/)
})

test('images a second of several epochs are those of all their time together', (t) => {
  // 600 images at 100 a second take 6 s, 600 at 300 take 2 s: 1200 in 8 s.
  const [first, second] = someEpochs(2)
  const epochs = [
    { ...first, imagesPerSecond: 100 },
    { ...second, imagesPerSecond: 300 },
  ]
  t.is(factsIn(parsePage(renderRun(someFacts({ epochs }))))['Training images a second'], '150')
})

// Calibration.

const random = (seed: number) => {
  let state = seed
  // Lehmer's generator, with the factor of Park and Miller.
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

function randomAnswers(count: number, classCount: number): Answers {
  const draw = random(7)
  const logits = Float32Array.from({ length: count * classCount }, () => 6 * draw() - 3)
  const labels = Int32Array.from({ length: count }, () => Math.floor(classCount * draw()))
  return { logits, labels, classCount }
}

/** The plain way: the probabilities of each face, and the largest of them. */
function facesOf({ logits, labels, classCount }: Answers) {
  return Array.from(labels, (truth, face) => {
    const powers = Array.from(logits.subarray(face * classCount, (face + 1) * classCount), Math.exp)
    const sum = powers.reduce((a, b) => a + b, 0)
    const confidence = Math.max(...powers) / sum
    return { face, truth, answer: powers.indexOf(Math.max(...powers)), confidence }
  })
}

test('the bins of the reliability chart are those of a plain count, and add up to the calibration error', (t) => {
  const answers = randomAnswers(500, 4)
  const bins = reliabilityOf(answers)
  t.is(bins.length, 15)
  for (const [b, bin] of bins.entries()) {
    t.deepEqual([bin.from, bin.to], [b / 15, (b + 1) / 15])
    const within = facesOf(answers).filter(({ confidence }) => confidence > bin.from && confidence <= bin.to)
    t.is(bin.faces, within.length)
    if (within.length === 0) continue
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
    t.true(Math.abs(bin.confidence - mean(within.map(({ confidence }) => confidence))) < 1e-9)
    t.true(Math.abs(bin.accuracy - mean(within.map(({ truth, answer }) => Number(truth === answer)))) < 1e-9)
  }
  const { ece } = measure(answers.logits, answers.labels, ['a', 'b', 'c', 'd'])
  const gap = bins.reduce((sum, bin) => sum + bin.faces * Math.abs(bin.accuracy - bin.confidence), 0) / 500
  t.true(Math.abs(gap - ece) < 1e-9)
})

test('an answer that is wholly certain is in the last bin, and one of two alike in the bin that ends there', (t) => {
  const certain = reliabilityOf({ logits: Float32Array.of(1000, 0), labels: [0], classCount: 2 })
  t.is(
    certain.findIndex(({ faces }) => faces === 1),
    14,
  )
  // Three classes alike are 1/3 each, the upper end of the fifth bin of 15.
  const alike = reliabilityOf({ logits: Float32Array.of(1, 1, 1), labels: [0], classCount: 3 })
  t.is(
    alike.findIndex(({ faces }) => faces === 1),
    4,
  )
})

test('the bars of the reliability chart stand where their bins are, as high as these are right', (t) => {
  const page = parsePage(renderRun(someFacts()))
  const bins = reliabilityOf(someFacts().answers).filter(({ faces }) => faces > 0)
  const { x, y } = scalesOf(chartOf(page, 'reliability'))
  const bars = withClass(page, 'bar').map((bar) => numbersOf(bar, 'x', 'y', 'width', 'height'))
  t.is(bars.length, bins.length)
  const counts = withClass(page, 'count').map((bar) => numbersOf(bar, 'height')[0])
  const most = Math.max(...bins.map(({ faces }) => faces))
  for (const [i, [left, top, width, height]] of bars.entries()) {
    isNear(t, x((2 * left + width) / 2), (bins[i].from + bins[i].to) / 2, 0.005)
    isNear(t, y(top), bins[i].accuracy, 0.005)
    isNear(t, y(top + height), 0, 0.005)
    isNear(t, counts[i] / Math.max(...counts), bins[i].faces / most, 0.005)
  }
})

test('what a temperature changed is told, and nothing of one where there is none', (t) => {
  const facts = averagedFacts()
  const told = factsIn(sectionOf(parsePage(renderRun(facts)), 'calibration'))
  t.deepEqual(told, {
    'Expected calibration error': `${(100 * facts.best.metrics.ece).toFixed(2)} %`,
    'Negative log-likelihood': facts.best.metrics.nll.toFixed(3),
    Temperature: '1.600',
    'Calibration error without it': `${(100 * facts.uncalibrated!.ece).toFixed(2)} %`,
    'Negative log-likelihood without it': facts.uncalibrated!.nll.toFixed(3),
  })
  t.notRegex(textOf(sectionOf(parsePage(renderRun(someFacts())), 'calibration')), /temperature/i)
})

// Curves.

const chartOf = (page: ParsedPage, id: string): Element =>
  tagged(page, 'svg').find((svg) => attribute(svg, 'aria-labelledby')?.startsWith(`${id} `))!

const numbersOf = (element: Element, ...names: readonly string[]): number[] =>
  names.map((name) => Number(attribute(element, name)))

const isNear = (t: ExecutionContext, value: number, expected: number, tolerance: number) =>
  t.true(Math.abs(value - expected) <= tolerance, `${value}, not ${expected}`)

/** From places in a chart to values, as its own ticks tell them. */
function scalesOf(chart: Element) {
  const ticks = tagged(chart, 'text').slice(0, -1) // the last names the axis
  const readTick = (tick: Element) => {
    const label = textOf(tick)
    return label.endsWith('%') ? Number.parseFloat(label) / 100 : Number(label)
  }
  const along = (anchor: string, at: (tick: Element) => number) => {
    const own = ticks.filter((tick) => attribute(tick, 'text-anchor') === anchor)
    const [from, to] = [own[0], own.at(-1)!].map((tick) => ({ place: at(tick), value: readTick(tick) }))
    return (place: number) =>
      from.value + ((place - from.place) / (to.place - from.place || 1)) * (to.value - from.value)
  }
  return {
    x: along('middle', (tick) => Number(attribute(tick, 'x'))),
    // A label stands 4 units below the middle of its tick.
    y: along('end', (tick) => Number(attribute(tick, 'y')) - 4),
  }
}

/** The corners of each stretch of a curve. */
const stretchesOf = (curve: Element): number[][][] =>
  attribute(curve, 'd')!
    .split('M')
    .slice(1)
    .map((stretch) =>
      stretch
        .replace('Z', '')
        .split('L')
        .map((corner) => corner.split(',').map(Number)),
    )

const curvesOf = (chart: Element): Element[] =>
  tagged(chart, 'path').filter((path) => attribute(path, 'class')?.startsWith('curve'))

test('the curves go through the values of their epochs, by the ticks of their axes', (t) => {
  const epochs = averagedEpochs(30)
  const page = parsePage(renderRun(averagedFacts({ epochs })))
  const expected: Record<string, ((epoch: EpochFacts) => number)[]> = {
    accuracy: [({ validation }) => validation.accuracy, ({ averaged }) => averaged!.accuracy],
    loss: [({ loss }) => loss, ({ validation }) => validation.nll, ({ averaged }) => averaged!.nll],
    rate: [({ learningRate }) => learningRate!],
  }
  for (const [id, readings] of Object.entries(expected)) {
    const chart = chartOf(page, id)
    const { x, y } = scalesOf(chart)
    const curves = curvesOf(chart)
    t.is(curves.length, readings.length, id)
    for (const [i, read] of readings.entries()) {
      const [corners] = stretchesOf(curves[i])
      t.is(corners.length, 30)
      const height = Math.max(...epochs.map(read))
      for (const [e, [left, top]] of corners.entries()) {
        isNear(t, x(left), e + 1, 0.05)
        isNear(t, y(top), read(epochs[e]), 0.005 * height)
      }
    }
  }
})

test('the best model is marked at its epoch and accuracy', (t) => {
  const page = parsePage(renderRun(averagedFacts()))
  const chart = chartOf(page, 'accuracy')
  const { x, y } = scalesOf(chart)
  const mark = tagged(chart, 'circle').find((circle) => attribute(circle, 'class') === 'mark')!
  const [left, top] = numbersOf(mark, 'cx', 'cy')
  isNear(t, x(left), 29, 0.05)
  isNear(t, y(top), 0.8, 0.005)
  t.is(textOf(mark), 'best: epoch 29, 80.0 %')
})

const drawn = (html: { readonly text: string }): Element =>
  tagged(parsePage(`<!doctype html><title>x</title>${html.text}`), 'svg')[0]

test('a line has a gap where a value is not known, and no more', (t) => {
  const points = [1, 2, undefined, 4, Number.NaN, 6, 7].map((value, i) => [i + 1, value] as const)
  const chart = drawn(
    lineChart({ id: 'x', title: 'x', summary: 'x', form: 'number', lines: [{ name: 'x', points }] }),
  )
  t.deepEqual(
    stretchesOf(curvesOf(chart)[0]).map((corners) => corners.length),
    [2, 1, 2],
  )
})

test('the axis of rates keeps within 0 and 100 %, that of a constant rate of learning above 0', (t) => {
  const ticks = (form: 'percent' | 'small', value: number) => {
    const lines = [{ name: 'x', points: [1, 2, 3].map((epoch) => [epoch, value] as const) }]
    const chart = drawn(lineChart({ id: 'x', title: 'x', summary: 'x', form, lines }))
    return tagged(chart, 'text')
      .filter((tick) => attribute(tick, 'text-anchor') === 'end')
      .map((tick) => Number.parseFloat(textOf(tick)))
  }
  for (const value of [0, 0.5, 1]) {
    const shown = ticks('percent', value)
    t.true(Math.min(...shown) >= 0 && Math.max(...shown) <= 100, String(shown))
    t.true(shown.length >= 2, 'two ticks at least tell the scale')
  }
  t.true(Math.min(...ticks('small', 0.001)) > 0)
})

test('ticks have few digits however close the values lie, and none is cut off by the edge', (t) => {
  // 54 units are left of the axis; seven characters take 54 at most in DejaVu Sans, the widest of the usual fonts.
  for (const value of [0.123456, 0.87654321, 0.99999]) {
    const points = [1, 2, 3].map((epoch) => [epoch, value + epoch * 1e-7] as const)
    for (const form of ['percent', 'number', 'small'] as const) {
      const chart = drawn(
        lineChart({ id: 'x', title: 'x', summary: 'x', form, lines: [{ name: 'x', points }] }),
      )
      for (const tick of tagged(chart, 'text').filter((text) => attribute(text, 'text-anchor') === 'end'))
        t.true(textOf(tick).length <= 7, textOf(tick))
    }
  }
})

test('of 32 lines no two look alike', (t) => {
  const lines = Array.from({ length: 32 }, (_, i) => ({
    name: `${i}`,
    points: [[1, i] as const, [2, i] as const],
  }))
  const chart = drawn(lineChart({ id: 'x', title: 'x', summary: 'x', form: 'number', lines }))
  const looks = curvesOf(chart).map((curve) => [
    attribute(curve, 'class'),
    attribute(curve, 'stroke-dasharray'),
  ])
  t.is(new Set(looks.map(String)).size, 32)
})

// Mistakes.

test('the worst mistakes are the wrong answers by confidence, of two alike the earlier face', (t) => {
  const answers = randomAnswers(300, 4)
  // A copy of the first face's logits, so that two are alike.
  answers.logits.copyWithin(4 * 299, 0, 4)
  const expected = facesOf(answers)
    .filter(({ truth, answer }) => truth !== answer)
    .toSorted((a, b) => b.confidence - a.confidence || a.face - b.face)
  const worst = worstMistakes(answers, 24)
  t.is(worst.length, 24)
  for (const [i, { face, answer, confidence }] of worst.entries()) {
    t.deepEqual([face, answer], [expected[i].face, expected[i].answer])
    isNear(t, confidence, expected[i].confidence, 1e-9)
  }
  t.is(worstMistakes(answers, 1000).length, expected.length)
  t.deepEqual(worstMistakes(rightAnswers(14, 7), 24), [])
})

test('each mistake is shown with its picture, or says that there is none any more', (t) => {
  const page = isSound(t, renderRun(someFacts({ mistakes: someMistakes(4) })))
  const items = tagged(withClass(page, 'faces')[0], 'li')
  t.deepEqual(items.map(textOf), [
    'fear 100.0 % sure labelled surprise validation/face 0.png',
    'the picture can no longer be read disgust 99.0 % sure labelled fear validation/face 1.png',
    'happiness 98.0 % sure labelled disgust validation/face 2.png',
    'the picture can no longer be read sadness 97.0 % sure labelled happiness validation/face 3.png',
  ])
  t.deepEqual(
    tagged(page, 'img').map((image) => attribute(image, 'alt')),
    [
      'Face validation/face 0.png, labelled surprise, answered fear',
      'Face validation/face 2.png, labelled disgust, answered happiness',
    ],
  )
})

test('how many mistakes there are is told beside how many are shown', (t) => {
  const told = (facts: RunFacts) => textOf(sectionOf(parsePage(renderRun(facts)), 'mistakes'))
  t.regex(told(someFacts({ mistakes: someMistakes(24) })), /The 24 most certain of 28 wrong answers/)
  t.regex(told(someFacts({ mistakes: someMistakes(28) })), /All 28 wrong answers/)
  t.regex(told(someFacts(rightFacts())), /None: every validation face is answered right/)
  const answers = someAnswers(4, 7) // of which the first is wrong
  const metrics = measure(answers.logits, answers.labels, classes)
  const one = { answers, mistakes: someMistakes(1), best: { epoch: 1, weights: 'trained', metrics } } as const
  t.regex(told(someFacts(one)), /The only wrong answer/)
})

test('a thumbnail is the whole picture as a JPEG of 96 pixels at most, grey where the picture is', async (t) => {
  const made = async (width: number, height: number, channels: 1 | 3) => {
    const data = new Uint8Array(width * height * channels).fill(90)
    const uri = await thumbnail({ data, width, height, channels })
    const bytes = Buffer.from(uri.replace('data:image/jpeg;base64,', ''), 'base64')
    const { format, ...size } = await sharp(bytes).metadata()
    return [format, size.width, size.height, size.channels]
  }
  t.deepEqual(await made(400, 200, 3), ['jpeg', 96, 48, 3])
  t.deepEqual(await made(48, 48, 1), ['jpeg', 48, 48, 1])
})

// What others named.

const hostile = `</script><script>alert(1)</script>"onload='x' &amp; <img src=x>`
const turned = 'a\u202egnp.exe\u0000\u001b[31m\ud800\u2066b'

test('names from outside are shown as they are, and nothing in them is obeyed', (t) => {
  const names = [hostile, ...classes.slice(1)]
  const answers = someAnswers(140, 7)
  const metrics = measure(answers.logits, answers.labels, names)
  const mistakes = [
    { name: hostile, truth: hostile, answer: turned, confidence: 0.9 },
    { ...someMistakes(1)[0], name: hostile, truth: turned, answer: hostile },
  ]
  const provenance = {
    data: `folder:${hostile}`,
    validatedOn: turned,
    options: {
      [hostile]: hostile,
      [turned]: [turned, { toString: 1 }],
      deep: { a: { b: { c: { d: { e: 1 } } } } },
    },
    versions: { [hostile]: 1 },
    pretrained: { path: hostile },
  }
  const facts = someFacts({ name: hostile, answers, mistakes, provenance, notes: [hostile, turned] })
  const page = isSound(
    t,
    renderRun({ ...facts, best: { ...facts.best, metrics }, machine: { [turned]: hostile } }),
  )
  t.is(textOf(tagged(page, 'h1')[0]), hostile)
  const said = textOf(tagged(page, 'body')[0])
  t.true(said.split(hostile).length > 8, 'as often as it was given')
  // Each character that is not printable stands as a question mark.
  t.true(said.includes('a?gnp.exe??[31m??b'))
  t.is(
    attribute(tagged(page, 'img')[0], 'alt'),
    `Face ${hostile}, labelled a?gnp.exe??[31m??b, answered ${hostile}`,
  )
})

test('a name has a direction of writing of its own, and an end', (t) => {
  const page = isSound(t, renderRun(someFacts({ name: 'שלום', notes: ['x'.repeat(5000)] })))
  t.is(childrenOf(tagged(page, 'h1')[0]).length, 1)
  t.is(tagged(tagged(page, 'h1')[0], 'bdi').map(textOf).join(), 'שלום')
  t.false(page.html.includes('x'.repeat(300)))
})

// The look.

test('text has a contrast of 4.5 with what it stands on, and a line one of 3', (t) => {
  // Relative luminance and contrast of WCAG 2.2.
  const channels = (color: string) =>
    [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
  const luminance = (rgb: readonly number[]) => {
    const [r, g, b] = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (a: readonly number[], b: readonly number[]) => {
    const [dim, bright] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
    return (bright + 0.05) / (dim + 0.05)
  }
  for (const palette of [light, dark]) {
    const paper = channels(palette.paper)
    for (const text of [palette.ink, palette.quiet])
      for (const ground of [palette.paper, palette.panel])
        t.true(contrast(channels(text), channels(ground)) >= 4.5, `${text} on ${ground}`)
    t.true(contrast(channels(palette.wrong), paper) >= 4.5)
    for (const color of palette.series) t.true(contrast(channels(color), paper) >= 3, color)
    for (const color of [palette.right, palette.wrong]) {
      const shaded = channels(color).map((v, i) => deepestShade * v + (1 - deepestShade) * paper[i])
      t.true(contrast(channels(palette.ink), shaded) >= 4.5, `ink on a cell of ${color}`)
    }
  }
})
