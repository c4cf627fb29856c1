import { readFileSync } from 'node:fs'

// Not from lib/native.ts: that loads the addon, which `--version`, `--help` and a broken installation do without.
const manifest = new URL('../package.json', import.meta.url)

export const version: string = JSON.parse(readFileSync(manifest, 'utf8')).version
