import { measure } from '../../lib/metrics/index.js'
import { tempered } from '../../lib/metrics/temperature.js'
import type { Answers, EpochFacts, Mistake, RunFacts } from '../../lib/report/run/facts.js'

export const classes = ['surprise', 'fear', 'disgust', 'happiness', 'sadness', 'anger', 'neutral']

/** Logits of `count` faces, of which every fifth is answered wrong: with the next class. */
export function someAnswers(count: number, classCount: number) {
  const labels = Int32Array.from({ length: count }, (_, face) => face % classCount)
  const logits = new Float32Array(count * classCount)
  labels.forEach((label, face) => {
    const answer = face % 5 === 0 ? (label + 1) % classCount : label
    logits[face * classCount + answer] = 1 + (face % 7)
  })
  return { logits, labels, classCount }
}

/** The same without a wrong answer. */
export function rightAnswers(count: number, classCount: number): Answers {
  const labels = Int32Array.from({ length: count }, (_, face) => face % classCount)
  const logits = new Float32Array(count * classCount)
  labels.forEach((label, face) => {
    logits[face * classCount + label] = 2
  })
  return { logits, labels, classCount }
}

export const someEpochs = (count: number): EpochFacts[] =>
  Array.from({ length: count }, (_, i) => ({
    epoch: i + 1,
    loss: 0.5 + 1.4 * Math.exp(-i / 10),
    validation: {
      accuracy: 0.8 - 0.5 * Math.exp(-i / 8) + 0.01 * Math.sin(5 * i),
      nll: 0.6 + Math.exp(-i / 6),
      ece: 0.05,
    },
    imagesPerSecond: 200,
    seconds: 60,
  }))

/** With an average of the weights, and the learning rate of a cosine. */
export const averagedEpochs = (count: number): EpochFacts[] =>
  someEpochs(count).map((facts, i) => ({
    ...facts,
    averaged: {
      accuracy: 0.81 - 0.6 * Math.exp(-i / 5),
      nll: 0.58 + 1.3 * Math.exp(-i / 5),
      ece: 0.04,
    },
    learningRate: 0.0005 * (1 + Math.cos((Math.PI * (i + 1)) / count)),
  }))

/** A square of one grey as a GIF. */
const picture = 'data:image/gif;base64,R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs='

/** Every other one has a picture. */
export const someMistakes = (count: number): Mistake[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `validation/face ${i}.png`,
    truth: classes[i % 7]!,
    answer: classes[(i + 1) % 7]!,
    confidence: 1 - i / 100,
    ...(i % 2 === 0 ? { picture } : {}),
  }))

export function someFacts(changes: Partial<RunFacts> = {}): RunFacts {
  const answers = changes.answers ?? someAnswers(140, classes.length)
  return {
    name: 'first',
    ended: new Date('2026-01-02T03:04:05Z'),
    epochs: someEpochs(30),
    plannedEpochs: 40,
    best: changes.best ?? {
      epoch: 28,
      weights: 'trained',
      metrics: measure(answers.logits, answers.labels, classes),
    },
    answers,
    mistakes: someMistakes(24),
    provenance: {
      versions: { ferTorch: '0.1.0', libTorch: '2.13.0', node: 'v20.20.2' },
      data: 'folder:faces',
      validatedOn: 'a held-out tenth of the training faces',
      trainingFaces: 12_345,
      validationFaces: 140,
      copiesLeftOut: 7,
      options: { epochs: 40, learningRate: 0.001, recipe: undefined, augmentation: { flip: 0.5 } },
    },
    notes: ['3 rows without a face were left out'],
    machine: { processor: 'Some processor', threads: 2 },
    seconds: 1830,
    peakMemoryBytes: 1.25e9,
    ...changes,
  }
}

/** As a run with an average of the weights leaves it, its logits divided by a temperature of 1.6. */
export function averagedFacts(changes: Partial<RunFacts> = {}): RunFacts {
  const raw = someAnswers(140, classes.length)
  const answers = { ...raw, logits: tempered(raw.logits, 1.6) }
  const metrics = measure(answers.logits, answers.labels, classes)
  return someFacts({
    epochs: averagedEpochs(30),
    answers,
    best: { epoch: 29, weights: 'averaged', metrics },
    stopped: 'no better model came',
    uncalibrated: { temperature: 1.6, ...measure(raw.logits, raw.labels, classes) },
    ...changes,
  })
}
