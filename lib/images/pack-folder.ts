import { randomUUID } from 'node:crypto'
import { mkdirSync, statSync, utimesSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { native } from '../native.js'
import { holdsPictures } from './pack-partial.js'

/** A folder beside a pack, to make it in. */
export interface Workplace {
  readonly folder: string
  /** Ends the work: removes the folder, or keeps what it holds for the next who makes this pack, if that is useful. */
  readonly leave: (useful: boolean) => Promise<void>
}

type Release = () => void

/** Days after which a folder that nobody holds is removed: one to go on with, and one that nobody will go on with. */
const daysKept: Readonly<Record<string, number>> = { '.partial': 30, '.tmp': 1 }
/** Their names, and no others: the folder of packs may be one that the caller chose. */
const nameOfOurs = /^[0-9a-f]{32}\.safetensors(\.[0-9a-f-]{36}\.tmp|\.partial)$/
const day = 24 * 60 * 60 * 1000 // milliseconds

/**
 * The one folder that every run making this pack looks into, held for this one alone; where another run holds it, or it
 * cannot be held, one of its own, which nobody will go on with. Folders long abandoned are removed on the way.
 */
export async function claimWorkplace(path: string): Promise<Workplace> {
  await mkdir(dirname(path), { recursive: true })
  const shared = `${path}.partial`
  const release = claim(shared)
  await removeAbandoned(dirname(path))
  return release ? sharedWorkplace(shared, release) : ownWorkplace(`${path}.${randomUUID()}.tmp`)
}

const sharedWorkplace = (folder: string, release: Release): Workplace => ({
  folder,
  leave: async (useful) => {
    if (!useful || !(await holdsPictures(folder))) await remove(folder)
    release()
  },
})

async function ownWorkplace(folder: string): Promise<Workplace> {
  await mkdir(folder)
  const release = claim(folder)
  const leave = async () => {
    await remove(folder)
    release?.()
  }
  return { folder, leave }
}

/** Without awaiting anything in between, so that hardly ever another removes the folder meanwhile. */
function claim(folder: string): Release | undefined {
  try {
    mkdirSync(folder, { recursive: true })
    // Refused for a folder of another user, in which nothing could be written.
    utimesSync(folder, new Date(), new Date())
    const { ino } = statSync(folder)
    const release = native.lockFolder(folder)
    if (!release || isHeld(folder, ino)) return release
    release()
  } catch {
    // It has just been removed, or it is no folder of ours.
  }
  return undefined
}

/** Another may have removed the folder, or made it anew; and where the file system has no locks, a second succeeds. */
function isHeld(folder: string, ino: number): boolean {
  if (statSync(folder, { throwIfNoEntry: false })?.ino !== ino) return false
  const second = native.lockFolder(folder)
  second?.()
  return second === undefined
}

async function removeAbandoned(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((name) => nameOfOurs.test(name)))
    await removeIfAbandoned(join(folder, name)).catch(() => {})
}

async function removeIfAbandoned(folder: string): Promise<void> {
  const release = (await isAbandoned(folder)) ? native.lockFolder(folder) : undefined
  // Again: another may have gone on with it just now.
  if (release && (await isAbandoned(folder))) await remove(folder)
  release?.()
}

const isAbandoned = async (folder: string): Promise<boolean> =>
  (await stat(folder)).mtimeMs < Date.now() - daysKept[extname(folder)]! * day

/** It is only a cache: what cannot be removed stays. */
const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true }).catch(() => {})
