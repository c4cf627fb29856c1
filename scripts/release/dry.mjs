// `npm run release:dry`: the whole of a release but the publishing. Packs, checks what was packed, shows what npm would
// publish, and the notes.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notesIn } from './changelog.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')

// A version that has been dated is released as it is; before that, what is unreleased would be.
const notes = changelog.includes(`## ${version} (`)
  ? notesIn(changelog, version)
  : notesIn(changelog, 'Unreleased')
run('npm', 'run', 'pack:check')
const packages = join(root, '.cache', 'packages')
for (const tarball of readdirSync(packages).filter((name) => name.endsWith('.tgz')))
  run('npm', 'publish', join(packages, tarball), '--dry-run', '--access', 'public', '--ignore-scripts')
console.log(`\nRelease notes of ${version}:\n\n${notes}`)

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(1)
}
