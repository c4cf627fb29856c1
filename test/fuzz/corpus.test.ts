import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'

const folder = new URL('.', import.meta.url)
const suffix = '.fuzz.mjs'
const files = readdirSync(folder).filter((name) => name.endsWith(suffix))

for (const file of files) {
  const target = file.slice(0, -suffix.length)
  test(`${target}: every input of the corpus is read soundly or refused`, async (t) => {
    const { fuzz } = await import(new URL(file, folder).href)
    const corpus = new URL(`corpus/${target}/`, folder)
    for (const name of readdirSync(corpus)) {
      await t.notThrowsAsync(async () => fuzz(readFileSync(new URL(name, corpus))), name)
    }
  })
}
