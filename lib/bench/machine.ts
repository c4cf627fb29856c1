import { cpus, totalmem } from 'node:os'
import { native } from '../native.js'
import { version } from '../version.js'

/** Where a report was measured. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  /** Those that both sides compute with. */
  readonly threads: number
  /** Those of the processor's abilities that decide. */
  readonly features: readonly string[]
  readonly memory: number // bytes
  readonly platform: string
  readonly node: string
  readonly ferTorch: string
  readonly libTorch: string
}

const telling = ['avx2', 'avx512_f', 'avx512_vnni', 'avx512_bf16', 'amx_int8', 'amx_bf16'] as const

export function describeMachine(): Machine {
  const { threads, libTorch, processor } = native.describe()
  return {
    processor: cpus()[0]?.model.trim() || String(processor.cpu_name ?? 'unknown'),
    cores: cpus().length,
    threads,
    features: telling.filter((name) => processor[name] === true),
    memory: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    ferTorch: version,
    libTorch,
  }
}
