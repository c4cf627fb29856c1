import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { FerError } from '../../lib/errors.js'
import { read, records } from './checkpoint.js'
import { zip } from './zip-writer.js'

// The first is small enough to be damaged at every byte in every way tried, the second is PyTorch's own.
const small = zip(records)
const real = readFileSync(join(import.meta.dirname, 'fixtures', 'parameters.pth'))

/** True if it was read after all; anything but a FerError fails the test. */
async function survives(t: ExecutionContext, bytes: Buffer, what: string): Promise<boolean> {
  try {
    await read(bytes)
    return true
  } catch (error) {
    if (!(error instanceof FerError)) t.fail(`${what}: ${(error as Error).stack}`)
    return false
  }
}

test('a file that ends too early is refused, wherever it ends', async (t) => {
  for (const whole of [small, real]) {
    t.true(await survives(t, whole, 'whole'))
    for (let length = 0; length < whole.length; length++)
      if (await survives(t, whole.subarray(0, length), `${length} bytes`)) t.fail(`${length} bytes were read`)
  }
})

test('a file with any one byte changed is read or refused, never more', async (t) => {
  for (const whole of [small, real])
    for (let i = 0; i < whole.length; i++)
      for (const mask of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(whole)
        bytes[i]! ^= mask
        await survives(t, bytes, `byte ${i} with ${mask}`)
      }
  t.pass()
})

test('a file that is only half there, front or back, or twice, is refused', async (t) => {
  const half = real.length / 2
  for (const bytes of [real.subarray(half), Buffer.concat([real.subarray(0, half), Buffer.alloc(half)])])
    t.false(await survives(t, bytes, 'half'))
  t.false(await survives(t, Buffer.concat([small, Buffer.alloc(1)]), 'one byte more'))
})
