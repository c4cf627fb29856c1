import { FerError } from '../errors.js'

/** ERR_BAD_MODEL in the one voice of everything that reads checkpoints. */
export function refusal(path: string, what: string, cure = 'Copy or download it anew'): FerError {
  return new FerError('ERR_BAD_MODEL', `\`${path}\` is not a checkpoint that can be read: ${what}. ${cure}`)
}

const python = (path: string, load: string) => `${load}(${JSON.stringify(path)}, map_location="cpu"`

/** For files whose values are fine but whose form is not. */
export const resave = (path: string): string =>
  `Save it anew in Python: torch.save(${python(path, 'torch.load')}), "resaved.pth")`

export const resaveScript = (path: string): string =>
  `Save its weights in Python: torch.save(${python(path, 'torch.jit.load')}).state_dict(), "weights.pth")`

export const resaveWeights = (path: string): string =>
  'Save its weights alone, in Python: torch.save({k: v for k, v in ' +
  `${python(path, 'torch.load')}, weights_only=False)["state_dict"].items()}, "weights.pth"), ` +
  'with `.state_dict()` for `["state_dict"]` if it holds a whole model. ' +
  'That runs what the file says, so never do it with a file from an untrusted source'
