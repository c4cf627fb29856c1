import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A folder of this test's own, removed when it ends; packed pictures go there too, so that nothing is shared. */
export async function temporaryFolder(t: ExecutionContext<unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fer-torch-test-'))
  process.env.FER_TORCH_CACHE ??= folder
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
