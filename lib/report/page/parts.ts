import { plain } from '../../errors.js'
import { type Content, type Html, html } from './html.js'

/** Characters shown of what a file or a user named. */
const longest = 200

/** A name from outside: printable and not endless. */
export const plainName = (value: string): string => plain(value, longest)

/** The same, of a direction of writing of its own. */
export const name = (value: string): Html => html`<bdi>${plainName(value)}</bdi>`

export type Fact = readonly [label: string, value: Content]

/** Names and values; `kind` is a class of the style sheet. */
export const factList = (facts: readonly Fact[], kind = 'facts'): Html =>
  html`<dl class="${kind}">${facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`

export interface Table {
  readonly caption: string
  readonly head: readonly Content[]
  /** The first cell of each is its heading. */
  readonly rows: readonly (readonly Content[])[]
  /** Which row stands out. */
  readonly best?: number | undefined
  readonly kind?: string
}

/** A table that scrolls by itself where it is wider than the page. */
export const table = ({ caption, head, rows, best, kind = 'full' }: Table): Html => html`
<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
<table class="${kind}"><caption>${caption}</caption>
<thead><tr>${head.map((cell, i) => html`<th scope="col"${i === 0 ? html` class="left"` : ''}>${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row, i) => tableRow(row, i === best))}</tbody></table>
</div>`

const tableRow = ([first, ...cells]: readonly Content[], isBest: boolean): Html =>
  html`<tr${isBest ? html` class="best"` : ''}><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`

/** What most readers pass over. */
export const details = (summary: string, ...content: readonly Content[]): Html =>
  html`<details><summary>${summary}</summary>${content}</details>`
