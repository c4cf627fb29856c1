import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Published {
  readonly manifest: Manifest
  /** Absent where nobody may ask for it: a package of another system. */
  readonly tarball?: string
}

/** A registry of npm on this machine alone, with these packages and, from the checkout, all that they depend on. */
export class Registry {
  readonly #packages = new Map<string, Published>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(decodeURIComponent(request.url!.slice(1))).then(
        (body) => response.writeHead(body ? 200 : 404).end(body ?? '{}'),
        (error) => response.writeHead(500).end(String(error)),
      )
    })
  }

  static async start(): Promise<Registry> {
    const registry = new Registry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  publish(manifest: Manifest, tarball?: string): void {
    this.#packages.set(manifest.name, { manifest, ...(tarball ? { tarball } : {}) })
  }

  /** Publishes what a package needs, packed from where the checkout has it installed. */
  async publishDependencies({ dependencies = {} }: Manifest, from: string, tarballs: string): Promise<void> {
    await mkdir(tarballs, { recursive: true })
    for (const name of Object.keys(dependencies)) await this.#publishInstalled(name, from, tarballs)
  }

  async #publishInstalled(name: string, from: string, tarballs: string): Promise<void> {
    const folder = installedFolder(name, from)
    if (!folder || this.#packages.has(name)) return
    const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const tarball = join(tarballs, `${name.replace('/', '+')}.tgz`)
    await run('tar', ['-czf', tarball, '--exclude=./node_modules', '--transform', 's,^\\.,package,', '.'], {
      cwd: folder,
    })
    this.publish(manifest, tarball)
    const needs = { ...manifest.dependencies, ...manifest.optionalDependencies }
    for (const need of Object.keys(needs)) await this.#publishInstalled(need, folder, tarballs)
  }

  async #answer(path: string): Promise<Buffer | string | undefined> {
    const [name, file] = path.split('/-/')
    const published = this.#packages.get(name!)
    if (!published) return undefined
    if (file !== undefined) return published.tarball ? readFile(published.tarball) : undefined
    const { manifest, tarball } = published
    const dist = {
      tarball: `${this.address}${name}/-/package.tgz`,
      ...(tarball ? { integrity: await integrityOf(tarball), unpackedSize: (await stat(tarball)).size } : {}),
    }
    const versions = { [manifest.version]: { ...manifest, dist } }
    return JSON.stringify({ name, 'dist-tags': { latest: manifest.version }, versions })
  }
}

const integrityOf = async (tarball: string): Promise<string> =>
  `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`

/** As Node looks for it: in node_modules here, or in a folder above. Undefined for one of another system. */
function installedFolder(name: string, from: string): string | undefined {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  return dirname(from) === from ? undefined : installedFolder(name, dirname(from))
}
