import { normalize, sep } from 'node:path'

/** Paths of folders without the parents that all of them have in common: `seed-1` and `seed-2`, or `a/run` and `b/run`. */
export function labelsOf(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => normalize(folder).split(sep).filter(Boolean))
  const shortest = Math.min(...paths.map(({ length }) => length))
  let common = 0
  while (common < shortest - 1 && paths.every((path) => path[common] === paths[0]![common])) common++
  return paths.map((path, i) => path.slice(common).join(sep) || folders[i]!)
}
