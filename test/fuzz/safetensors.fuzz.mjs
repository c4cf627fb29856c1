import assert from 'node:assert/strict'
import { byteLength, readHeader } from '../../lib/safetensors.js'
import { answerOf, scratchFile } from './harness.mjs'

const largestBody = 4096

/**
 * A file; or, where the input begins with a brace, a header alone, to which its length and a body that fits are added:
 * few mutations of a header change the first eight bytes with it.
 */
export async function fuzz(input) {
  const file = input[0] === '{'.charCodeAt(0) ? withLengthAndBody(input) : input
  const header = await answerOf(() => readHeader(scratchFile(file)), 'ERR_BAD_MODEL')
  if (header) assertSound(header, file)
}

function withLengthAndBody(header) {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const ends = [...header.toString('latin1').matchAll(/,\s*(\d+)\s*\]/g)].map(([, end]) => Number(end))
  return Buffer.concat([length, header, Buffer.alloc(Math.min(Math.max(0, ...ends), largestBody))])
}

function assertSound({ metadata, tensors }, file) {
  const start = 8 + Number(file.readBigUInt64LE(0))
  for (const value of Object.values(metadata)) assert.equal(typeof value, 'string')
  assert.equal(new Set(tensors.map(({ name }) => name)).size, tensors.length)
  for (const tensor of tensors) {
    const size = byteLength(tensor)
    assert.ok(Number.isSafeInteger(size), `${tensor.name} has ${size} bytes`)
    assert.ok(tensor.offset >= start, `${tensor.name} begins in the header`)
    assert.ok(tensor.offset + size <= file.length, `${tensor.name} ends beyond the file`)
  }
}
