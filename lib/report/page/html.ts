/** Markup that may stand in a page as it is. Only `html` and `trusted` make it. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Content = Html | string | number | undefined | readonly Content[]

/** A template whose values are escaped, as text or as an attribute in double quotes, unless they are markup already. */
export const html = (strings: TemplateStringsArray, ...values: readonly Content[]): Html =>
  new Html(strings.reduce((page, piece, i) => page + markupOf(values[i - 1]) + piece))

/** For markup that this package wrote itself, such as a style sheet. */
export const trusted = (text: string): Html => new Html(text)

function markupOf(value: Content): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  return Array.isArray(value) ? value.map(markupOf).join('') : escaped(String(value))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)
