import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { decoderVersion } from './decode.js'
import { readWhole, writeWhole } from './pack-disk.js'
import { digestLength, type Layout } from './pack-file.js'

/** Pictures that are recorded together: about what an interrupted run decodes again. */
const blockLength = 256
const sealLength = 32 // bytes, SHA-256
const slotLength = sealLength + blockLength * digestLength

/**
 * Which pictures a partial pack holds: a file of one slot a block, the digests of its pictures after a seal of them. A
 * slot that was half written when the power failed, or that another decoder wrote, does not fit its seal, and its block
 * is made again.
 */
export class PackRecord {
  readonly #file: FileHandle
  readonly #count: number
  readonly #source: Uint8Array
  readonly #slots: readonly Uint8Array[]
  readonly #lacking: number[] // pictures, of each block

  private constructor(file: FileHandle, bytes: Uint8Array, { head, digests }: Layout) {
    this.#file = file
    this.#count = digests.shape[0]!
    this.#source = createHash('sha256').update(decoderVersion).update(head).digest()
    this.#slots = slotsOf(bytes)
    this.#lacking = this.#slots.map((slot, block) =>
      this.#isSealed(slot) ? 0 : Math.min(blockLength, this.#count - block * blockLength),
    )
  }

  static async read(file: FileHandle, layout: Layout): Promise<PackRecord> {
    const bytes = new Uint8Array(Math.ceil(layout.digests.shape[0]! / blockLength) * slotLength)
    await readWhole(file, bytes, 0)
    return new PackRecord(file, bytes, layout)
  }

  /** Indices of the pictures in blocks that are not recorded. */
  get missing(): number[] {
    const indices = Array.from({ length: this.#count }, (_, index) => index)
    return indices.filter((index) => this.#lacking[blockOf(index)]! > 0)
  }

  /** Of all pictures (N, 16), once none is missing. */
  get digests(): Uint8Array {
    return Buffer.concat(this.#slots.map(digestsOf)).subarray(0, this.#count * digestLength)
  }

  /** Notes a missing picture, once. True where none of its block is missing any more, which is then to be written. */
  note(index: number, digest: Uint8Array): boolean {
    const block = blockOf(index)
    digestsOf(this.#slots[block]!).set(digest, (index % blockLength) * digestLength)
    this.#lacking[block]!--
    return this.#lacking[block] === 0
  }

  /** The block of this picture. */
  async write(index: number): Promise<void> {
    const slot = this.#slots[blockOf(index)]!
    slot.set(this.#sealOf(slot))
    await writeWhole(this.#file, slot, blockOf(index) * slotLength)
  }

  #isSealed(slot: Uint8Array): boolean {
    return this.#sealOf(slot).equals(slot.subarray(0, sealLength))
  }

  #sealOf(slot: Uint8Array): Buffer {
    return createHash('sha256').update(this.#source).update(digestsOf(slot)).digest()
  }
}

const slotsOf = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: bytes.length / slotLength }, (_, block) =>
    bytes.subarray(block * slotLength, (block + 1) * slotLength),
  )

const blockOf = (index: number): number => Math.floor(index / blockLength)

const digestsOf = (slot: Uint8Array): Uint8Array => slot.subarray(sealLength)
