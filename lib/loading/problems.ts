import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Attempt } from './addon.js'
import { isPrebuilt, libTorchVariable } from './libtorch.js'
import type { Platform } from './platform.js'
import { libTorchVersion, packageOf, type Target, targets } from './targets.js'

/** What was found instead of what is needed, and what to do. */
interface Problem {
  readonly found: string
  readonly cure: string
}

type Look = (attempt: Attempt, platform: Platform) => Problem | undefined

/** One paragraph: what was found, what is missing, and the command that cures it. */
export function explain(attempt: Attempt, platform: Platform): string {
  for (const look of looks) {
    const problem = look(attempt, platform)
    if (problem) return `fer-torch cannot load its addon: ${problem.found}. ${problem.cure}`
  }
  return `fer-torch cannot load its addon ${attempt.addon}: ${reasonOf(attempt)}. Say so, with the output of \`fer-torch doctor\`, where its issues are kept`
}

const reasonOf = ({ error }: Attempt): string => firstLine((error as Error | undefined)?.message ?? 'unknown')
const firstLine = (text: string): string => text.split('\n')[0]!.replace(/\.$/, '')

const systems = targets.map(({ name }) => name).join(', ')
const build =
  'To build it from source, which takes CMake, a C++20 compiler and the network, run `npx fer-torch build`'

/** From what makes all else moot to what is left when everything is in its place. */
const looks: readonly Look[] = [
  function bundled({ packageFolder }) {
    if (existsSync(join(packageFolder, 'package.json'))) return undefined
    return {
      found: `there is no package in ${packageFolder}: a bundler has taken its code elsewhere`,
      cure: 'Tell the bundler to leave `fer-torch` external (esbuild: `--external:fer-torch`), and ship node_modules beside the bundle',
    }
  },
  function archived({ packageFolder, addon }, { electron }) {
    const place = addon ?? packageFolder
    if (!electron || !/\.asar([\\/]|$)/.test(place)) return undefined
    return {
      found: `Electron ${electron} has packed ${place} into an archive, from which no library can be loaded`,
      cure: 'Leave the packages `fer-torch` and `@fer-torch/*` unpacked (electron-builder: `asarUnpack`, Forge: `asar.unpack`)',
    }
  },
  function otherC({ addon }, { libc }) {
    if (libc !== 'musl' || (addon && !isPrebuilt(addon))) return undefined
    return {
      found: 'the C library of this system is musl, as in Alpine Linux, and LibTorch is made for glibc alone',
      cure: 'Use a system with glibc, such as the image node:22-slim in place of node:22-alpine',
    }
  },
  function unknownSystem({ target, addon }, { os, cpu }) {
    if (target || addon) return undefined
    return { found: `this is ${os}-${cpu}, and it is made for ${systems}`, cure: build }
  },
  function oldC({ target, addon }, { glibc }) {
    const needed = target?.glibc
    if (!needed || !glibc || !isOlder(glibc, needed) || (addon && !isPrebuilt(addon))) return undefined
    return {
      found: `this system has glibc ${glibc}, and LibTorch needs ${needed} or later`,
      cure: 'Use a newer system: Debian 10, Ubuntu 20.04, RHEL 8 or later',
    }
  },
  function oldNode(_, { node, nodeApi }) {
    if (nodeApi >= 8) return undefined
    return {
      found: `Node ${node} has version ${nodeApi} of Node-API, and 8 is needed`,
      cure: 'Use Node 20.19 or later',
    }
  },
  function noAddon({ addon, packageFolder }, { os, cpu }) {
    if (addon) return undefined
    const isClone =
      existsSync(join(packageFolder, 'CMakeLists.txt')) && existsSync(join(packageFolder, 'lib'))
    return {
      found: `there is none for ${os}-${cpu} in ${packageFolder}`,
      cure: isClone ? 'Build it: run `npm install` there' : build,
    }
  },
  function wrongVariable({ libTorch, target }) {
    if (libTorch?.from !== libTorchVariable || existsSync(join(libTorch.folder, target!.entry)))
      return undefined
    return {
      found: `${libTorchVariable} names ${libTorch.folder}, which holds no ${target!.entry}`,
      cure: `Name a folder of LibTorch ${libTorchVersion}, or unset the variable`,
    }
  },
  function oldProcessor({ lacking }) {
    if (!lacking) return undefined
    return {
      found: `this processor lacks ${lacking}, which LibTorch is compiled for`,
      cure: 'Use a machine made since 2013; in a virtual one, pass the processor of the host through',
    }
  },
  function noLibTorch({ packageFolder, libTorch, target, addon }) {
    if (libTorch || !target || !addon || !isPrebuilt(addon)) return undefined
    const name = packageOf(target)
    return {
      found: `the package ${name}, which brings LibTorch, is missing`,
      cure: cureFor(packageFolder, target),
    }
  },
  function otherLibTorch({ libTorch, target }) {
    if (!target || libTorch?.from !== 'package' || libTorch.version === libTorchVersion) return undefined
    const name = packageOf(target)
    return {
      found: `${name} is of version ${libTorch.version}, and ${libTorchVersion} is needed`,
      cure: `Run \`npm install ${name}@${libTorchVersion}\``,
    }
  },
  function oldLibraries(attempt, { glibc }) {
    const needed = /version [`'](GLIBC\w*_[\d.]+)' not found/.exec(reasonOf(attempt))?.[1]
    if (!needed) return undefined
    return {
      found: `it needs ${needed}, and this system has glibc ${glibc ?? 'of an unknown version'} and its compiler's libraries to match`,
      cure: `Use a newer system. ${build}`,
    }
  },
  function cannotOpen(attempt) {
    const { libTorch } = attempt
    if (!libTorch) return undefined
    const where =
      libTorch.from === libTorchVariable
        ? `${libTorchVariable} must name LibTorch ${libTorchVersion}`
        : 'The package may be damaged: install it anew'
    return {
      found: `with LibTorch from ${libTorch.folder}, the system says: ${reasonOf(attempt)}`,
      cure: `${where}. \`fer-torch doctor\` says what is there`,
    }
  },
  function movedLibTorch(attempt) {
    if (!attempt.addon || isPrebuilt(attempt.addon)) return undefined
    return {
      found: `${attempt.addon} was built on this machine, and the system says: ${reasonOf(attempt)}`,
      cure: 'If LibTorch was moved since, run `npm run build` in a clone, `npx fer-torch build` elsewhere',
    }
  },
]

const isOlder = (version: string, than: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor = 0, neededMinor = 0] = than.split('.').map(Number)
  return major < neededMajor || (major === neededMajor && minor < neededMinor)
}

/** How an optional dependency came to be left out shows by the files around. */
function cureFor(packageFolder: string, target: Target): string {
  const name = packageOf(target)
  if (process.versions.pnp) return `Run \`yarn add ${name}@${libTorchVersion}\``
  if (/[\\/]\.pnpm[\\/]/.test(packageFolder))
    return `pnpm leaves optional dependencies out with \`--no-optional\`, and those of other systems unless \`supportedArchitectures\` lists them. Run \`pnpm install --force\`, or \`pnpm add ${name}@${libTorchVersion}\``
  const lock = lockfileAbove(packageFolder)
  if (lock !== undefined && !lock.text.includes(`node_modules/${name}"`))
    return `${lock.path} does not list it, which npm does not add by itself if the file was written on another system (npm/cli#4828). Run \`npm install ${name}@${libTorchVersion}\`, or remove node_modules and that file and run \`npm install\``
  return `Optional dependencies were left out, as \`--omit=optional\` or \`omit\` in .npmrc do, or node_modules comes from another system. Run \`npm install --include=optional\`, or \`npm install ${name}@${libTorchVersion}\``
}

function lockfileAbove(folder: string): { readonly path: string; readonly text: string } | undefined {
  const path = join(folder, 'package-lock.json')
  if (existsSync(path)) return { path, text: readFileSync(path, 'utf8') }
  const parent = dirname(folder)
  return parent === folder ? undefined : lockfileAbove(parent)
}
