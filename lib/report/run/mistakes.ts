import { indexOfLargest } from '../../metrics/confusion.js'
import { type Metrics, softmax } from '../../metrics/index.js'
import { section } from '../page/document.js'
import { type Content, type Html, html } from '../page/html.js'
import { count, percent } from '../page/numbers.js'
import { name, plainName } from '../page/parts.js'
import type { Answers, Mistake, RunFacts } from './facts.js'

export interface WrongAnswer {
  /** Index of the face. */
  readonly face: number
  /** Index of the class. */
  readonly answer: number
  readonly confidence: number
}

/** The wrong answers, the most certain first, at most so many; of two alike, the earlier face. */
export function worstMistakes({ logits, labels, classCount }: Answers, most: number): WrongAnswer[] {
  return Array.from(labels, (truth, face) => {
    const row = logits.subarray(face * classCount, (face + 1) * classCount)
    const answer = indexOfLargest(row)
    return { face, answer, confidence: softmax(row)[answer]!, wrong: answer !== truth }
  })
    .filter(({ wrong }) => wrong)
    .sort((a, b) => b.confidence - a.confidence || a.face - b.face)
    .slice(0, most)
    .map(({ face, answer, confidence }) => ({ face, answer, confidence }))
}

/** The faces that the model is surest about, and wrong. */
export function mistakeSection({ mistakes, best }: RunFacts): Content {
  const wrong = wrongAnswers(best.metrics)
  const content =
    wrong === 0
      ? html`<p>None: every validation face is answered right.</p>`
      : html`<p class="note">${shownOf(mistakes.length, wrong)} Some may be mistakes of the labels. The pictures are of the data set: pass this
page on only as you may pass on those.</p><ul class="faces">${mistakes.map(item)}</ul>`
  return section('mistakes', 'Worst mistakes', content)
}

const wrongAnswers = ({ confusion }: Metrics): number =>
  confusion.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)).reduce((a, b) => a + b, 0)

function shownOf(shown: number, wrong: number): string {
  if (wrong === 1) return 'The only wrong answer.'
  const which = shown === wrong ? 'All' : `The ${count(shown)} most certain of`
  return `${which} ${count(wrong)} wrong answers, by the confidence of the answer.`
}

const item = (mistake: Mistake): Html => html`<li>${pictureOf(mistake)}
<p class="wrong">${name(mistake.answer)}</p>
<p>${percent(mistake.confidence)} sure</p>
<p>labelled ${name(mistake.truth)}</p>
<p class="name">${name(mistake.name)}</p></li>`

function pictureOf({ name: file, truth, answer, picture }: Mistake): Html {
  if (picture === undefined) return html`<div class="gone">the picture can no longer be read</div>`
  const alt = `Face ${plainName(file)}, labelled ${plainName(truth)}, answered ${plainName(answer)}`
  return html`<img src="${picture}" alt="${alt}" width="96" height="96">`
}
