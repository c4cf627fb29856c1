// Runs every `sh` and `ts` block of the documents named, in order, so that what they promise stays true:
//   node scripts/run-docs.mjs README.md CONTRIBUTING.md
// A block that cannot run says why in a comment on the line before it: <!-- not run: reason -->
// Blocks run in one folder of their own inside the checkout, where `fer-torch` is this package and docs/ is at hand.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
mkdirSync(join(root, '.cache'), { recursive: true })
const folder = mkdtempSync(join(root, '.cache', 'docs-'))
symlinkSync(join(root, 'docs'), join(folder, 'docs'))

let passed = 0
let failed = 0
try {
  for (const document of process.argv.slice(2))
    for (const block of blocksOf(document)) runBlock(document, block)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`documentation: ${passed} blocks passed, ${failed} blocks failed`)
process.exitCode = failed === 0 ? 0 : 1

function blocksOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  const pattern = /(?:<!-- not run: (.+?) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm
  return [...text.matchAll(pattern)].map(([, reason, language, code]) => ({ reason, language, code }))
}

function runBlock(document, { reason, language, code }) {
  if (language !== 'sh' && language !== 'ts') return
  const title = `${document}: ${code.split('\n')[0]}`
  if (reason) return console.log(`${title} ... not run: ${reason}`)
  console.log(`${title} ...`)
  const { status } = language === 'sh' ? runShell(code) : runTypeScript(code)
  if (status === 0) passed++
  else failed++
  console.log(`${title} ... ${status === 0 ? 'passed' : 'FAILED'}`)
}

function runShell(code) {
  return spawnSync('bash', ['-euo', 'pipefail', '-c', code], { cwd: folder, stdio: 'inherit' })
}

function runTypeScript(code) {
  const file = join(folder, 'block.ts')
  writeFileSync(file, code)
  return spawnSync(process.execPath, ['--import=tsx', file], { cwd: folder, stdio: 'inherit' })
}
