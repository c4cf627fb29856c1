export type {
  AffinityName,
  BackboneName,
  Color,
  DeviceName,
  HeadName,
  OptimizerName,
  PrecisionName,
  ScheduleName,
  StemName,
  TrainingPrecisionName,
} from './catalog.js'
export type { Dataset, Picture, Sample, Split, SplitName } from './datasets/dataset.js'
export * as datasets from './datasets/index.js'
export { type ErrorCode, errorCodes, FerError } from './errors.js'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js'
export type { BoxedImage, Image, Input, RawPixels } from './images/inputs.js'
export type { ClassMetrics, Interval, Intervals, Metrics } from './metrics/index.js'
export type { Explanation } from './model/explanation.js'
export type { ModelInfo, Quantization } from './model/info.js'
export { type CalibrateOptions, type FitTemperatureOptions, Model } from './model.js'
export type { Box } from './native.js'
export type { AugmentationOptions } from './options/augmentation.js'
export type { ExplainOptions, OverlayOptions } from './options/explain.js'
export type { ExportOptions } from './options/export.js'
export type { FacesOptions, PackProgress } from './options/faces.js'
export type { InferenceOptions } from './options/inference.js'
export type { QuantizeOptions } from './options/quantize.js'
export type { RecipeName } from './options/recipes.js'
export type { RobustnessOptions } from './options/robustness.js'
export type { TrainOptions } from './options/training.js'
export { type Prediction, type PredictOptions, predict } from './predict.js'
export { type DegradedAccuracy, type Robustness, robustness } from './robustness.js'
export type { DType, Tensor } from './tensor.js'
export { type TrainingRun, type TrainResult, train } from './train.js'
export type {
  CheckpointEvent,
  EpochEvent,
  PretrainedReport,
  StartEvent,
  StepEvent,
  TrainEvent,
} from './training/events.js'
