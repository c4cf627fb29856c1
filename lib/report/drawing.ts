export const colors = {
  paper: '#ffffff',
  ink: '#1b2430',
  quiet: '#5b6673',
  line: '#d9dee4',
  right: '#1f7a4d',
  wrong: '#c62828',
  shade: '#1f5fa8',
} as const

export interface TextStyle {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly color?: string
  readonly weight?: number
  readonly anchor?: 'start' | 'middle' | 'end'
  /** Degrees, clockwise, around (x, y). */
  readonly turn?: number
  /** Pixels the text may take; longer text gets smaller. */
  readonly width?: number
}

// About the mean advance of a letter, in em, in DejaVu Sans, the widest of the common sans-serif fonts.
const letterWidth = { regular: 0.58, bold: 0.67 }

/** One line of text in whatever sans-serif font the machine has. */
export function text(content: string, style: TextStyle): string {
  const {
    x,
    y,
    color = colors.ink,
    weight = 400,
    anchor = 'start',
    turn,
    width = Number.POSITIVE_INFINITY,
  } = style
  const letter = weight > 500 ? letterWidth.bold : letterWidth.regular
  const size = Math.min(style.size, width / (letter * Math.max(content.length, 1)))
  const transform = turn ? ` transform="rotate(${turn} ${x} ${y})"` : ''
  return (
    `<text x="${x}" y="${y}" font-family="sans-serif" font-size="${size.toFixed(2)}" font-weight="${weight}" ` +
    `text-anchor="${anchor}" fill="${color}"${transform}>${escaped(content)}</text>`
  )
}

function escaped(content: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return content.replace(/[&<>"]/g, (character) => entities[character]!)
}
