/** A system that prebuilt binaries are made for. The loader, the packages' manifests and the release read this table. */
export interface Target {
  /** As Node names it: platform and architecture. */
  readonly name: string
  readonly os: 'linux' | 'darwin' | 'win32'
  readonly cpu: 'x64' | 'arm64'
  /** The oldest C library that both LibTorch's binaries and ours run on. */
  readonly glibc?: string
  /** The library of LibTorch that needs, and so brings along, all others. */
  readonly entry: string
  /** All that is shipped of LibTorch. */
  readonly libraries: readonly string[]
}

export const libTorchVersion = '2.13.0'

const linux = {
  os: 'linux',
  glibc: '2.28',
  entry: 'libtorch.so',
  libraries: ['libtorch.so', 'libtorch_cpu.so', 'libc10.so', 'libgomp.so.1'],
} as const

export const targets: readonly Target[] = [
  { name: 'linux-x64', cpu: 'x64', ...linux },
  { name: 'linux-arm64', cpu: 'arm64', ...linux },
  {
    name: 'darwin-arm64',
    os: 'darwin',
    cpu: 'arm64',
    entry: 'libtorch.dylib',
    libraries: ['libtorch.dylib', 'libtorch_cpu.dylib', 'libc10.dylib', 'libomp.dylib'],
  },
  {
    name: 'win32-x64',
    os: 'win32',
    cpu: 'x64',
    entry: 'torch.dll',
    libraries: ['torch.dll', 'torch_cpu.dll', 'c10.dll', 'libiomp5md.dll', 'uv.dll'],
  },
]

/** The package that brings LibTorch to a target. */
export const packageOf = ({ name }: Target): string => `@fer-torch/libtorch-${name}`

export const targetFor = (os: string, cpu: string): Target | undefined =>
  targets.find((target) => target.os === os && target.cpu === cpu)
