import { type Content, type Html, html } from '../page/html.js'
import { size } from './frame.js'

export interface Figure {
  /** Unique within the page. */
  readonly id: string
  readonly title: string
  /** What those who do not see the picture are told. */
  readonly summary: string
  readonly picture: Content
  readonly caption?: Content
}

/** A chart with its heading; the picture's own title and description are for those who do not see it. */
export const figure = ({ id, title, summary, picture, caption }: Figure): Html => html`
<figure>
<h3 id="${id}">${title}</h3>
<svg class="chart" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="${id} ${id}-summary">
<desc id="${id}-summary">${summary}</desc>
${picture}
</svg>
${caption ? html`<figcaption>${caption}</figcaption>` : ''}
</figure>`
