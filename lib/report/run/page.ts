import { makePage } from '../page/document.js'
import { html } from '../page/html.js'
import { percent } from '../page/numbers.js'
import { name, plainName } from '../page/parts.js'
import { calibrationSection } from './calibration.js'
import { classSection } from './classes.js'
import { curveSection } from './curves.js'
import type { RunFacts } from './facts.js'
import { heading } from './heading.js'
import { mistakeSection } from './mistakes.js'
import { recordSections } from './record.js'

/** The page about one run, whole in itself. */
export function renderRun(facts: RunFacts): string {
  const title = `${plainName(facts.name)}: ${percent(facts.best.metrics.accuracy)}, a fer-torch run`
  return makePage(title, [
    heading(facts),
    curveSection(facts),
    classSection(facts.best.metrics),
    calibrationSection(facts),
    mistakeSection(facts),
    recordSections(facts),
    html`<p class="note">Written ${facts.ended.toISOString().slice(0, 16).replace('T', ' ')} UTC by fer-torch about the run ${name(facts.name)}.</p>`,
  ])
}
