// Makes the model that ships of one that `train` wrote: bfloat16, and without the paths of the machine it was trained on.
//   node scripts/release/ship-model.mjs runs/fer2013/best.safetensors
import { basename } from 'node:path'

const [, , from] = process.argv
const { Model } = await import('../../dist/index.js')
const { bundledModel } = await import('../../dist/model/bundled.js')

const model = await Model.load(from)
const { provenance, ...info } = model.info
const { data, validatedOn, pretrained, options, ...rest } = provenance
const named = (text) => text.replace(/(\w+):\S*\/([^/\s,]+)/g, '$1:$2')
const shipped = {
  ...info,
  provenance: {
    ...rest,
    data: named(data),
    validatedOn: named(validatedOn),
    options: { ...options, ...(options.pretrained ? { pretrained: basename(options.pretrained) } : {}) },
    ...(pretrained ? { pretrained: { ...pretrained, path: basename(pretrained.path) } } : {}),
  },
}
const cleaned = new Model(shipped, Model.borrow(model))
await cleaned.save(bundledModel, { dtype: 'bfloat16' })
console.log(`${bundledModel}: ${JSON.stringify(cleaned.info.provenance, undefined, 2)}`)
