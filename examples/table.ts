export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`

/** Rows of cells as lines, the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const aligned = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
  return rows.map((row) => row.map(aligned).join('  ')).join('\n')
}
