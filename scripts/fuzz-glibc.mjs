// Preloaded by scripts/fuzz.mjs. The fuzzer of Jazzer.js is built against glibc 2.38 and GCC 13, of which it uses three
// functions: strtol and strtoul as C23 has them, which differ from those of old in one more prefix, `0b`, and one that
// is named but not called. Where the libraries are older, a copy that asks for the old ones is loaded instead.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/fuzz/', import.meta.url))
// What the libraries of a GCC 12 and glibc 2.36 lack, and what to ask for instead: the versions they began with.
const older = {
  'GLIBC_2.38': { x64: 'GLIBC_2.2.5', arm64: 'GLIBC_2.17' }[process.arch],
  'GLIBCXX_3.4.32': 'GLIBCXX_3.4',
}
const newPrefix = '__isoc23_'

const load = process.dlopen
process.dlopen = (module, filename, ...flags) => {
  try {
    return load.call(process, module, filename, ...flags)
  } catch (error) {
    if (process.platform !== 'linux' || !/GLIBC(XX)?_.*@jazzer\.js/.test(error.message)) throw error
    return load.call(process, module, olderCopy(filename), ...flags)
  }
}

function olderCopy(filename) {
  const copy = join(cache, basename(filename))
  mkdirSync(cache, { recursive: true })
  // Renamed into its place: a process that runs with an earlier copy must keep what it has mapped.
  const draft = `${copy}.${process.pid}`
  writeFileSync(draft, withOlderNames(readFileSync(filename)))
  renameSync(draft, copy)
  return copy
}

// System V ABI, chapter 4, and the Linux Standard Base on symbol versions; 64 bits, little-endian.
function withOlderNames(elf) {
  const sections = sectionsOf(elf)
  const ofType = (type) => sections.find((section) => section.type === type)
  const symbols = ofType(11) // SHT_DYNSYM
  const strings = sections[symbols.link]
  const text = (at) => elf.toString('latin1', strings.offset + at, elf.indexOf(0, strings.offset + at))
  // The new names end in the old ones: each symbol's name begins a few letters later.
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
    const name = elf.readUInt32LE(at)
    if (text(name).startsWith(newPrefix)) elf.writeUInt32LE(name + newPrefix.length, at)
  }
  const versions = versionsNeeded(elf, ofType(0x6ffffffe).offset) // SHT_GNU_verneed
  for (const { at, name } of versions) {
    const replacement = versions.find((version) => text(version.name) === older[text(name)])
    if (!replacement) continue
    elf.writeUInt32LE(replacement.hash, at)
    elf.writeUInt32LE(replacement.name, at + 8)
  }
  return elf
}

function sectionsOf(elf) {
  const [start, size, count] = [Number(elf.readBigUInt64LE(40)), elf.readUInt16LE(58), elf.readUInt16LE(60)]
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
    }
  })
}

/** The versions asked of every library: chains within a chain. */
function versionsNeeded(elf, start) {
  const libraries = chain(elf, start, 12)
  return libraries
    .flatMap((at) => chain(elf, at + elf.readUInt32LE(at + 8), 12))
    .map((at) => ({ at, hash: elf.readUInt32LE(at), name: elf.readUInt32LE(at + 8) }))
}

function chain(elf, start, nextField) {
  const places = [start]
  for (let next = elf.readUInt32LE(start + nextField); next !== 0; ) {
    places.push(places.at(-1) + next)
    next = elf.readUInt32LE(places.at(-1) + nextField)
  }
  return places
}
