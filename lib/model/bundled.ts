import { fileURLToPath } from 'node:url'

/** The file of the model that ships with the package; models/README.md says what it can and cannot do. */
export const bundledModel = fileURLToPath(
  new URL('../../models/arm-resnet18-fer2013.safetensors', import.meta.url),
)
