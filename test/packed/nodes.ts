import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkout } from './sandbox.js'

/** The majors that the package supports. */
export const majors = [20, 22, 24] as const

/** The program of a Node of that major: this process's, or what the registry of npm has as a package. */
export async function nodeOf(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const folder = join(checkout, '.cache', 'nodes', String(major))
  const name = `node-${process.platform}-${process.arch}`
  const program = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true })
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', folder]
    await promisify(execFile)('npm', ['install', ...flags, `${name}@${major}`])
  }
  return program
}
