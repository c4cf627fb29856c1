import { flattened, shown } from '../fields.js'
import { section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, fixed, gigabytes, isNumber, minutes } from '../page/numbers.js'
import { type Fact, factList, name, plainName } from '../page/parts.js'
import { meanRate } from '../rate.js'
import type { RunFacts } from './facts.js'

/** What the run was made of and what it cost. */
export const recordSections = (facts: RunFacts): Content => [
  section('data', 'Data', dataFacts(facts), notesOf(facts)),
  section('cost', 'Cost', costFacts(facts)),
  section('options', 'Options', factList(factsIn(facts.provenance.options))),
  section(
    'versions',
    'Versions and machine',
    factList([...factsIn(facts.provenance.versions), ...factsIn(facts.machine)]),
  ),
]

function dataFacts({ provenance }: RunFacts): Html {
  const { data, validatedOn, pretrained } = provenance
  const named = {
    'Trained on': data,
    'Validated on': validatedOn,
    'Weights begun with': Object(pretrained).path,
  }
  const counted = {
    'Training faces': provenance.trainingFaces,
    'Validation faces': provenance.validationFaces,
    'Copies left out of training': provenance.copiesLeftOut,
    'Left out of validation, being trained on': provenance.leakedLeftOut,
  }
  const counts = Object.entries(counted).flatMap(([label, faces]): Fact[] =>
    isNumber(faces) ? [[label, count(faces)]] : [],
  )
  return html`${factList(factsIn(named), 'named')}${factList(counts)}`
}

const notesOf = ({ notes }: RunFacts): Content =>
  notes.length > 0
    ? html`<ul class="note">${notes.map((note) => html`<li>${name(note)}</li>`)}</ul>`
    : undefined

const costFacts = ({ seconds, peakMemoryBytes, epochs }: RunFacts): Html =>
  factList([
    ['Time, training and validation', minutes(seconds)],
    ['Training images a second', fixed(meanRate(epochs), 0)],
    ['Largest memory of the process', gigabytes(peakMemoryBytes)],
  ])

const factsIn = (fields: unknown): Fact[] =>
  flattened(fields).map(([label, value]) => [plainName(label), name(shown(value))])
