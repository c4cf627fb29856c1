// Writes dist/commonjs: what `require('fer-torch')` finds. Its code is one line that hands out the ES modules, so that a
// process has one addon however often and in whatever way the package is loaded; its types are those of dist, which in
// this folder count as CommonJS. Node 20.19 and later can require ES modules.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const entries = ['index', 'ops']

export function writeCommonJs() {
  const folder = join(dist, 'commonjs')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  for (const entry of entries)
    writeFileSync(join(folder, `${entry}.js`), `module.exports = require('../${entry}.js')\n`)
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!file.endsWith('.d.ts') || file.startsWith('commonjs') || file.startsWith('cli')) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(dist, file), join(folder, file))
  }
}
