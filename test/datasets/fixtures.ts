import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import sharp from 'sharp'

/** An empty folder of its own for one test, removed after it. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fer-torch-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Writes each file, with the folders on the way to it. */
export async function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
}

/** A PNG of one grey channel, all of one value. */
export function greyPng(value: number, width = 4, height = 4): Promise<Buffer> {
  const data = new Uint8Array(width * height).fill(value)
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer()
}

/** A PNG of three channels, all of one colour. */
export function colorPng(background: string, width = 4, height = 4): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()
}

/** The same picture under each name. */
export function copies(picture: Uint8Array, names: readonly string[]): Record<string, Uint8Array> {
  return Object.fromEntries(names.map((name) => [name, picture]))
}
