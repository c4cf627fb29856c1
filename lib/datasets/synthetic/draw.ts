import { drawBrows } from './draw-brows.js'
import { drawEyes } from './draw-eyes.js'
import { drawGlasses } from './draw-glasses.js'
import { drawHairBehind, drawHairInFront } from './draw-hair.js'
import { drawBody, drawHead } from './draw-head.js'
import { drawBeard, drawMouth } from './draw-mouth.js'
import { drawNose, drawSmileLines } from './draw-nose.js'
import { drawBackground, drawOcclusion } from './draw-surroundings.js'
import type { Scene } from './scene.js'
import type { Portrait } from './svg.js'

/** One face as an SVG document of `side` by `side` pixels; drawn from the back to the front. */
export function drawFace(portrait: Portrait, scene: Scene, side: number): string {
  const { roll, scale, shift } = scene.pose
  const place = `translate(${shift[0].toFixed(2)} ${shift[1].toFixed(2)}) rotate(${roll.toFixed(2)}) scale(${scale.toFixed(3)})`
  const parts = [
    drawHairBehind,
    drawBody,
    drawHead,
    drawSmileLines,
    drawBeard,
    drawMouth,
    drawNose,
    drawEyes,
    drawHairInFront,
    drawBrows,
    drawGlasses,
  ]
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="-50 -50 100 100">` +
    drawBackground(scene.background) +
    `<g transform="${place}">${parts.map((draw) => draw(portrait)).join('')}${drawOcclusion(portrait, scene.occlusion)}</g></svg>`
  )
}
