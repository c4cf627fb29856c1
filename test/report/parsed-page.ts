import type { ExecutionContext } from 'ava'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node
export type Element = DefaultTreeAdapterTypes.Element

/** A page as a browser reads it, with what it had to mend. */
export interface ParsedPage {
  readonly html: string
  readonly elements: readonly Element[]
  readonly errors: readonly string[]
}

export function parsePage(html: string): ParsedPage {
  const errors: string[] = []
  const document = parse(html, {
    onParseError: ({ code, startLine, startCol }) => errors.push(`${code} at ${startLine}:${startCol}`),
    scriptingEnabled: false,
  })
  return { html, errors, elements: elementsIn(document) }
}

/** In the order of the page. */
export const elementsIn = (node: Node): Element[] =>
  childrenOf(node).flatMap((child) => ('tagName' in child ? [child, ...elementsIn(child)] : []))

export const childrenOf = (node: Node): readonly Node[] => ('childNodes' in node ? node.childNodes : [])

export const attribute = ({ attrs }: Element, name: string): string | undefined =>
  attrs.find((attr) => attr.name === name)?.value

export const tagged = (node: Node | ParsedPage, ...names: readonly string[]): Element[] =>
  ('elements' in node ? node.elements : elementsIn(node)).filter(({ tagName }) => names.includes(tagName))

export const withClass = (page: ParsedPage, name: string): Element[] =>
  page.elements.filter((element) => (attribute(element, 'class') ?? '').split(' ').includes(name))

/** What is read, with spaces as they are shown. */
export const textOf = (node: Node): string => rawText(node).replace(/\s+/g, ' ').trim()

const rawText = (node: Node): string =>
  'value' in node ? (node.value as string) : childrenOf(node).map(rawText).join('')

export const byId = (page: ParsedPage, id: string): Element =>
  page.elements.find((element) => attribute(element, 'id') === id)!

/** The section under a heading. */
export const sectionOf = (page: ParsedPage, id: string): Element => byId(page, id).parentNode as Element

/** Names and values of all lists of them within. */
export const factsIn = (node: Node | ParsedPage): Record<string, string> =>
  Object.fromEntries(
    tagged(node, 'dl')
      .flatMap((list) => childrenOf(list).filter((child): child is Element => 'tagName' in child))
      .map((pair) => [textOf(tagged(pair, 'dt')[0]), textOf(tagged(pair, 'dd')[0])]),
  )

/** The cells of the table with a caption, its head first. */
export function tableOf(page: ParsedPage, caption: string): string[][] {
  const found = tagged(page, 'table').find((table) => textOf(tagged(table, 'caption')[0]) === caption)!
  return tagged(found, 'tr').map((row) => tagged(row, 'th', 'td').map(textOf))
}

/** That the page is well-formed, can be read without eyes, and needs nothing but itself. */
export function isSound(t: ExecutionContext, html: string): ParsedPage {
  const page = parsePage(html)
  isWellFormed(t, page)
  isAccessible(t, page)
  hasWholeTables(t, page)
  needsNothingElse(t, page)
  showsOnlyText(t, page)
  return page
}

function isWellFormed(t: ExecutionContext, page: ParsedPage): void {
  t.deepEqual(page.errors, [])
  // Were a tag misplaced, the parser would have moved it, closed another before it, or added one.
  const written = [...page.html.matchAll(/<([a-z][a-z0-9]*)/g)].map(([, name]) => name)
  t.deepEqual(
    page.elements.map(({ tagName }) => tagName),
    written as string[],
  )
  for (const list of tagged(page, 'ul'))
    for (const item of childrenOf(list)) if ('tagName' in item) t.is(item.tagName, 'li')
}

function isAccessible(t: ExecutionContext, page: ParsedPage): void {
  t.is(attribute(tagged(page, 'html')[0], 'lang'), 'en')
  t.not(textOf(tagged(page, 'title')[0]), '')
  const levels = tagged(page, 'h1', 'h2', 'h3', 'h4').map(({ tagName }) => Number(tagName[1]))
  t.is(levels.filter((level) => level === 1).length, 1)
  for (const [i, level] of levels.entries()) t.true(level <= (levels[i - 1] ?? 0) + 1, 'no level is left out')
  const ids = page.elements.flatMap((element) => attribute(element, 'id') ?? [])
  t.is(new Set(ids).size, ids.length, 'ids are unique')
  for (const element of page.elements) {
    const references = ['aria-labelledby', 'aria-describedby', 'for'].map((name) => attribute(element, name))
    for (const id of references.flatMap((value) => value?.split(' ') ?? [])) t.true(ids.includes(id), id)
  }
  for (const image of tagged(page, 'img')) t.not(attribute(image, 'alt') ?? '', '')
  for (const chart of tagged(page, 'svg').filter((svg) => attribute(svg, 'aria-hidden') === undefined)) {
    t.is(attribute(chart, 'role'), 'img')
    t.truthy(attribute(chart, 'aria-labelledby'))
  }
  for (const region of page.elements.filter((element) => attribute(element, 'role') === 'region'))
    t.not(attribute(region, 'aria-label') ?? '', '')
}

function hasWholeTables(t: ExecutionContext, page: ParsedPage): void {
  for (const table of tagged(page, 'table')) {
    t.not(textOf(tagged(table, 'caption')[0]), '')
    const [head, ...rows] = tagged(table, 'tr').map((row) => tagged(row, 'th', 'td'))
    t.true(head.every((cell) => attribute(cell, 'scope') === 'col' && textOf(cell) !== ''))
    for (const row of rows) {
      t.is(row.length, head.length)
      t.is(attribute(row[0], 'scope'), 'row')
      t.true(row.every((cell) => textOf(cell) !== ''))
    }
  }
}

/** Elements that fetch or run something. */
const active = [
  'script',
  'link',
  'base',
  'iframe',
  'object',
  'embed',
  'form',
  'audio',
  'video',
  'source',
  'a',
  'use',
]

function needsNothingElse(t: ExecutionContext, page: ParsedPage): void {
  t.deepEqual(tagged(page, ...active), [])
  const policy = tagged(page, 'meta').find(
    (meta) => attribute(meta, 'http-equiv') === 'Content-Security-Policy',
  )!
  t.is(attribute(policy, 'content'), "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
  for (const { attrs } of page.elements) {
    for (const { name, value } of attrs) {
      t.false(name.startsWith('on'), name)
      if (['src', 'srcset', 'href', 'background', 'poster', 'data'].includes(name))
        t.regex(value, /^data:image\//)
      if (name === 'style') t.regex(value, /^--share:[01]\.\d{3}$/)
    }
  }
  const [style, ...others] = tagged(page, 'style')
  t.deepEqual(others, [])
  t.notRegex(textOf(style), /url\(|@import|https?:/)
}

/** No value that was not there, and no character that would hide or turn round what follows. */
function showsOnlyText(t: ExecutionContext, page: ParsedPage): void {
  const texts = page.elements
    .filter(({ tagName }) => tagName !== 'style')
    .flatMap((element) => [
      ...childrenOf(element).flatMap((child) => ('value' in child ? [child.value as string] : [])),
      ...element.attrs.map(({ value }) => value),
    ])
  for (const text of texts) {
    t.notRegex(text, /\b(NaN|undefined|Infinity)\b|\[object/)
    t.notRegex(text.replaceAll('\n', ''), /\p{C}/u)
  }
}
