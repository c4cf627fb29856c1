// The names one may choose from. The native tables own them; a test holds both together.
export const backbones = ['resnet18', 'resnet34'] as const
export const heads = ['arm', 'gap'] as const
export const stems = ['standard', 'medium', 'small'] as const
export const affinities = ['ema', 'batch', 'none'] as const
export const optimizers = ['adam', 'adamw', 'sgd'] as const
export const samplers = ['shuffle', 'mrr', 'weighted'] as const
export const schedules = ['exponential', 'cosine', 'one-cycle', 'constant'] as const
export const trainingPrecisions = ['auto', 'float32', 'bfloat16'] as const
export const precisions = [...trainingPrecisions, 'int8'] as const
export const colors = ['grey', 'rgb'] as const

export type Color = (typeof colors)[number]
export type BackboneName = (typeof backbones)[number]
export type HeadName = (typeof heads)[number]
/** How the first layers shrink the picture: by 32 in all, by 16, by 8. */
export type StemName = (typeof stems)[number]
/** Where ARM's generic part comes from: its running mean, the batch (as published), or nowhere. */
export type AffinityName = (typeof affinities)[number]
export type OptimizerName = (typeof optimizers)[number]
/** How an epoch chooses its pictures: all of them, balanced by minimal random resampling, or drawn with classes alike. */
export type SamplerName = (typeof samplers)[number]
export type ScheduleName = (typeof schedules)[number]
/** `auto`: bfloat16 where the device multiplies it in hardware, else float32. */
export type TrainingPrecisionName = (typeof trainingPrecisions)[number]
/** Beside those, `int8` for a model that was quantised. */
export type PrecisionName = (typeof precisions)[number]
/**
 * Where to compute: `cpu`; `cuda` or `cuda:N`, an NVIDIA GPU, which takes an addon built for it; `auto`, the first GPU
 * where one can be used and the processor elsewhere.
 */
export type DeviceName = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`
