/** What a process runs on, as far as it decides whether an addon can be loaded. */
export interface Platform {
  readonly os: string
  readonly cpu: string
  /** Of Linux. */
  readonly libc?: 'glibc' | 'musl'
  /** Its version. */
  readonly glibc?: string
  readonly node: string
  /** The newest version of Node-API that it has. */
  readonly nodeApi: number
  readonly electron?: string
}

/** Takes some milliseconds: for diagnoses. */
export function describePlatform(): Platform {
  const { node, napi, electron } = process.versions
  return {
    os: process.platform,
    cpu: process.arch,
    ...(process.platform === 'linux' ? libraryC() : {}),
    node,
    nodeApi: Number(napi),
    ...(electron ? { electron } : {}),
  }
}

/** Node's report names the version of glibc, and none where the C library is another one. */
function libraryC(): Pick<Platform, 'libc' | 'glibc'> {
  // Else it looks up the names of all open connections. @types/node of Node 20 does not know the field yet.
  const report = Object.assign(process.report, { excludeNetwork: true })
  const { header } = report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } }
  const glibc = header.glibcVersionRuntime
  return glibc === undefined ? { libc: 'musl' } : { libc: 'glibc', glibc }
}
