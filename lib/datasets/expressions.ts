/** The class names of this package, in the label order of RAF-DB with AffectNet's contempt at the end. */
export const expressions = [
  'surprise',
  'fear',
  'disgust',
  'happiness',
  'sadness',
  'anger',
  'neutral',
  'contempt',
] as const

export type Expression = (typeof expressions)[number]

// The names that published data sets and other tools give the same classes.
const aliases: Readonly<Record<Expression, readonly string[]>> = {
  surprise: ['surprised'],
  fear: ['fearful', 'scared', 'afraid'],
  disgust: ['disgusted'],
  happiness: ['happy', 'joy'],
  sadness: ['sad'],
  anger: ['angry'],
  neutral: [],
  contempt: ['contemptuous'],
}

const byName = new Map(
  expressions.flatMap((expression) => [expression, ...aliases[expression]].map((name) => [name, expression])),
)

/** The expression that a name or usual alias stands for, whatever its case; undefined for any other name. */
export function canonicalExpression(name: string): Expression | undefined {
  return byName.get(name.trim().toLowerCase())
}

/** Each expression once, in canonical order. */
export function inCanonicalOrder(present: Iterable<Expression>): Expression[] {
  const wanted = new Set(present)
  return expressions.filter((expression) => wanted.has(expression))
}
