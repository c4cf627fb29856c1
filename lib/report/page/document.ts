import { type Content, html } from './html.js'
import { style } from './style.js'

/** Even what slipped through as markup could load and run nothing. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** A whole page in one file: it needs no network and no script. */
export const makePage = (title: string, content: Content): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${style()}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`.text

/** A part of a page with its heading. */
export const section = (id: string, heading: string, ...content: readonly Content[]): Content =>
  html`
<section aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${content}
</section>`
