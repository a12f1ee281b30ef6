/** Zoom and pan as plain arithmetic: where an image's pixels lie in the window. */

export interface Point {
  x: number;
  y: number;
}

export interface Extent {
  width: number;
  height: number;
}

/** A view: `scale` window pixels for one of the image, its corner at `x`, `y`. */
export interface View extends Point {
  scale: number;
}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 64;

/** Room left around a fitted image; the toolbar and the progress of a job have theirs. */
const MARGIN = { top: 58, bottom: 68, sides: 28 };

/**
 * The whole image in the middle. Small ones are enlarged by whole factors so that pixels stay square:
 * whole for the screen's own pixels, of which `density` make one of the window's.
 */
export function fit(image: Extent, stage: Extent, density: number): View {
  const height = stage.height - MARGIN.top - MARGIN.bottom;
  const room = Math.min((stage.width - 2 * MARGIN.sides) / image.width, height / image.height);
  const bounded = Math.max(room, MIN_SCALE);
  const factor = Math.floor(bounded * density);
  const view = centerd(image, stage, factor >= 1 ? Math.min(factor / density, 8) : bounded, density);
  return { ...view, y: onPixel(MARGIN.top + (height - image.height * view.scale) / 2, density) };
}

/** The image in the middle at a given scale. */
export function centerd(image: Extent, stage: Extent, scale: number, density: number): View {
  return {
    scale,
    x: onPixel((stage.width - image.width * scale) / 2, density),
    y: onPixel((stage.height - image.height * scale) / 2, density),
  };
}

/** The nearest place where a pixel of the screen begins. */
function onPixel(at: number, density: number): number {
  return Math.round(at * density) / density;
}

/** Zooms so that what lies under `at` stays there. */
export function zoomed(view: View, at: Point, factor: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const applied = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * applied, y: at.y - (at.y - view.y) * applied };
}

/** Moves the view, but never so far that the image is lost from sight. */
export function panned(view: View, image: Extent, stage: Extent, by: Point): View {
  const visible = 48;
  const clamp = (value: number, side: number, room: number) =>
    Math.min(room - visible, Math.max(visible - side, value));
  return {
    scale: view.scale,
    x: clamp(view.x + by.x, image.width * view.scale, stage.width),
    y: clamp(view.y + by.y, image.height * view.scale, stage.height),
  };
}

/** The image's point under a point of the window. */
export function toImage(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}
