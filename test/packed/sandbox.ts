import { spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** A door that nobody opens: what asks for another host fails at once. */
const nowhere = 'http://127.0.0.1:9'

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly milliseconds: number
}

/**
 * An application in an empty folder, whose processes find Node on their PATH and nothing else: no compiler, no CMake, no
 * Python, no cache, and no registry but the one given.
 */
export class Sandbox {
  readonly folder: string
  readonly #place: string
  readonly #node: string
  readonly #registry: string

  private constructor(place: string, node: string, registry: string) {
    this.#place = place
    this.folder = join(place, 'app')
    this.#node = node
    this.#registry = registry
  }

  static async make(node: string, registry: string): Promise<Sandbox> {
    const place = await mkdtemp(join(tmpdir(), 'fer-torch-packed-'))
    const sandbox = new Sandbox(place, node, registry)
    for (const part of ['app', 'bin', 'home']) await mkdir(join(place, part))
    await symlink(node, join(place, 'bin', 'node'))
    await sandbox.write('package.json', JSON.stringify({ name: 'app', private: true, type: 'module' }))
    return sandbox
  }

  write(file: string, content: string): Promise<void> {
    return writeFile(join(this.folder, file), content)
  }

  remove(): Promise<void> {
    return rm(this.#place, { recursive: true, force: true })
  }

  /** Without scripts, as npm 12 installs. */
  async install(...args: readonly string[]): Promise<Ended> {
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    return this.node([await npmProgram(), 'install', ...flags, ...args])
  }

  node(
    args: readonly string[],
    { env = {}, uid, cwd = this.folder }: { env?: Record<string, string>; uid?: number; cwd?: string } = {},
  ): Promise<Ended> {
    const started = performance.now()
    const child = spawn(this.#node, args, {
      cwd,
      env: {
        PATH: join(this.#place, 'bin'),
        HOME: join(this.#place, 'home'),
        npm_config_cache: join(this.#place, 'cache'),
        npm_config_registry: this.#registry,
        HTTPS_PROXY: nowhere,
        HTTP_PROXY: nowhere,
        NO_PROXY: '127.0.0.1',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (piece) => {
      stdout += piece
    })
    child.stderr.on('data', (piece) => {
      stderr += piece
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) =>
        resolve({ stdout, stderr, code, milliseconds: performance.now() - started }),
      )
    })
  }
}

/** npm that came with the Node of this process, or is on its PATH. */
async function npmProgram(): Promise<string> {
  const places = [
    process.env.npm_execpath,
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  for (const place of places) {
    if (!place?.endsWith('npm-cli.js')) continue
    if (
      await access(place).then(
        () => true,
        () => false,
      )
    )
      return place
  }
  throw new Error('npm was not found: run `npm run pack:check`')
}
