// What ARM's published evaluation does to an accuracy, without a network: answers are drawn at random for faces in the
// order of RAF-DB's test list. Takes some seconds and prints the table of docs/reproducing.md:
//   npx tsx examples/simulate-leak.ts
import { percent, table } from './table.js'

/** RAF-DB's classes in its order: training faces, test faces, and those of them that end its test list, class by class. */
const classes = [
  { name: 'surprise', training: 1290, test: 329, last: 0 },
  { name: 'fear', training: 281, test: 74, last: 66 },
  { name: 'disgust', training: 717, test: 160, last: 85 },
  { name: 'happiness', training: 4772, test: 1185, last: 0 },
  { name: 'sadness', training: 1982, test: 478, last: 0 },
  { name: 'anger', training: 705, test: 162, last: 0 },
  { name: 'neutral', training: 2524, test: 680, last: 680 },
]
const trainingFaces = classes.reduce((sum, { training }) => sum + training, 0)
const priors = classes.map(({ training }) => training / trainingFaces)

/** How far apart the classes are, in deviations: chosen for 86.4 % with a constant generic part. */
const distance = 2.415
const repeats = 100

/** `evidence` are the logits W vec(U), without bias. */
interface Face {
  readonly truth: number
  readonly evidence: readonly number[]
}

/**
 * Of a class with a Gaussian of deviation 1 around its own axis, at `distance` from the origin: ln p(face | class) but for
 * a constant. With ln prior as its bias, this is the best classifier there is.
 */
const drawFace = (truth: number): Face => ({
  truth,
  evidence: classes.map((_, k) => distance * ((k === truth ? distance : 0) + gaussian())),
})

/** In RAF-DB's order: mixed faces, then those that are sorted. */
function drawList(): Face[] {
  const mixed = classes.flatMap(({ test, last }, truth) => Array<number>(test - last).fill(truth))
  const sorted = classes.flatMap(({ last }, truth) => Array<number>(last).fill(truth))
  return [...shuffled(mixed), ...sorted].map(drawFace)
}

/** The mean over all training faces, which the bias has learned to make up for: alpha W vec(G) at alpha = 1. */
const meanOfTraining = priors.map((prior) => prior * distance ** 2)

const meanOf = (faces: readonly Face[]): readonly number[] =>
  classes.map((_, k) => faces.reduce((sum, { evidence }) => sum + evidence[k]!, 0) / faces.length)

/** Right answers where the generic part is `generic`, seen through the classifier. */
const rightOnes = (faces: readonly Face[], generic: readonly number[]): number =>
  faces.filter(({ truth, evidence }) => {
    const logits = evidence.map((value, k) => value + Math.log(priors[k]!) + generic[k]! - meanOfTraining[k]!)
    return logits.indexOf(Math.max(...logits)) === truth
  }).length

function inBatches(faces: readonly Face[], size: number): number {
  let right = 0
  for (let first = 0; first < faces.length; first += size) {
    const batch = faces.slice(first, first + size)
    right += rightOnes(batch, meanOf(batch))
  }
  return right
}

const byClass = (faces: readonly Face[]): Face[] => faces.toSorted((a, b) => a.truth - b.truth)

const ways: readonly (readonly [string, (list: readonly Face[]) => number])[] = [
  ['mean of training, a constant', (list) => rightOnes(list, meanOfTraining)],
  ['mean of 64, in the order of the list', (list) => inBatches(list, 64)],
  ['mean of 256, in the order of the list', (list) => inBatches(list, 256)],
  ['mean of 64, shuffled', (list) => inBatches(shuffled(list), 64)],
  ['mean of 64, sorted by class', (list) => inBatches(byClass(list), 64)],
  ['mean of one', (list) => inBatches(list, 1)],
  [
    'left out',
    (list) =>
      rightOnes(
        list,
        priors.map(() => 0),
      ),
  ],
]

let state = 2103

/** 0 to 1, both excluded: xorshift (Marsaglia 2003, doi 10.18637/jss.v008.i14). */
function uniform(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}

/** Box and Muller's, of mean 0 and deviation 1. */
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((item) => ({ item, key: uniform() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)

const lists = Array.from({ length: repeats }, drawList)
const faces = lists.reduce((sum, { length }) => sum + length, 0)
const rows = ways.map(([name, count]) => {
  const right = lists.reduce((sum, list) => sum + count(list), 0)
  return [name, percent(right / faces)]
})
console.log(table([['generic part', 'accuracy'], ...rows]))
