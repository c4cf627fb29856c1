import type { Split } from '../datasets/dataset.js'
import { canonicalExpression, type Expression, inCanonicalOrder } from '../datasets/expressions.js'
import { FerError } from '../errors.js'
import type { Selection } from './faces.js'

/** Those of every set; in canonical order where there are several. */
export function classesOf(splits: readonly Split[]): readonly string[] {
  const [first, ...others] = splits
  const all = [...new Set(splits.flatMap(({ classes }) => classes))]
  if (others.length === 0 || all.length === first!.classes.length) return first!.classes
  const expressions = all.map(canonicalExpression)
  const twice = expressions.findIndex((name, i) => name && expressions.indexOf(name) < i)
  if (twice >= 0) throw namedTwice(all, expressions, twice)
  return expressions.every((name, i) => name === all[i]) ? inCanonicalOrder(expressions as Expression[]) : all
}

/** A class without a label may still have its part of the targets. */
export function requireEveryClass(training: readonly Selection[], classes: readonly string[]): void {
  const present = new Set(training.flatMap(({ labels }) => [...labels]))
  const absent = classes.filter((name, label) => !present.has(label) && !isInTargets(name, training))
  if (absent.length === 0) return
  throw new FerError(
    'ERR_DATASET_EMPTY',
    `There is no training face of the class ${absent.join(', ')}, which the model would never learn. Add some, or leave the class out of the data, as \`datasets.mapClasses\` does`,
  )
}

const isInTargets = (name: string, training: readonly Selection[]): boolean =>
  training.some(({ split: { classes, samples } }) => {
    const place = classes.indexOf(name)
    return samples.some(({ target }) => (target?.[place] ?? 0) > 0)
  })

const namedTwice = (
  names: readonly string[],
  expressions: readonly (Expression | undefined)[],
  place: number,
): FerError =>
  new FerError(
    'ERR_CLASS_MISMATCH',
    `The data sets call one class \`${names[expressions.indexOf(expressions[place])]}\` and \`${names[place]}\`. Name it alike in all of them, as \`datasets.mapClasses\` does`,
  )
