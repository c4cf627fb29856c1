// CHANGELOG.md drives the release: `npm version` dates its first section, and the notes of a release are that section.
//   node scripts/release/changelog.mjs notes [VERSION]
//   node scripts/release/changelog.mjs date VERSION
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../CHANGELOG.md', import.meta.url))
const unreleased = 'Unreleased'

/** What CHANGELOG says of a version. */
export function notesIn(text, version) {
  const [, ...sections] = text.split(/^## /m)
  const section = sections.find((each) => each.split(/\s/)[0] === version)
  const notes = section?.slice(section.indexOf('\n')).trim()
  if (!notes) throw new Error(`CHANGELOG.md has nothing to say of ${version}`)
  return notes
}

/** The text with what is unreleased under that version and day, and an empty section before it. */
export function dated(text, version, day) {
  notesIn(text, unreleased)
  return text.replace(`## ${unreleased}\n`, `## ${unreleased}\n\n## ${version} (${day})\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , verb, version = unreleased] = process.argv
  const text = readFileSync(file, 'utf8')
  if (verb === 'date') writeFileSync(file, dated(text, version, new Date().toISOString().slice(0, 10)))
  else console.log(notesIn(text, version))
}
