// Writes docs/troubleshooting.md from the table of errors; without --write, checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorCodes } from '../lib/errors.js'

const path = fileURLToPath(new URL('../docs/troubleshooting.md', import.meta.url))

const text = `# Troubleshooting

Every error of this package is a \`FerError\`: its message names the file or field, what was wrong and what to do; its
\`code\` is one of those below. The command line prints the message in one line and exits with 1, or with 2 where
the command line itself is wrong. \`FER_TORCH_DEBUG=1\` shows the stack, \`fer-torch doctor\` what is installed.

<!-- Made from lib/errors.ts by \`npm run format\`. -->

${Object.entries(errorCodes)
  .map(([code, { meaning, cure }]) => `## ${code}\n\n${meaning}\n\n${cure}\n`)
  .join('\n')}`

if (process.argv.includes('--write')) writeFileSync(path, text)
else if (readFileSync(path, 'utf8') !== text) {
  console.error('docs/troubleshooting.md is not that of lib/errors.ts: run `npm run format`')
  process.exitCode = 1
}
