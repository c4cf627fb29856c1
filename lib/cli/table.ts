/** In characters. */
const listWidth = 90

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`

/** Rows of cells as lines. Cells of the columns in `left` begin at the left, others end at the right. */
export function table(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const align = (cell: string, column: number) =>
    left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n')
}

/** A name and its value a line; a long list goes on below itself. */
export function facts(entries: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(entries).map((name) => name.length)) + 2
  return Object.entries(entries)
    .map(([name, value]) => name.padEnd(width) + fold(String(value), width))
    .join('\n')
}

function fold(text: string, indent: number): string {
  let room = listWidth
  return text.replace(/[^,]+,?\s*/g, (item) => {
    room -= item.length
    if (room >= 0 || room + item.length === listWidth) return item
    room = listWidth - item.length
    return `\n${' '.repeat(indent)}${item}`
  })
}

export function bytes(count: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1)
  return `${(count / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`
}
