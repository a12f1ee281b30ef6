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
export function fitView(image: Extent, canvas: Extent, density: number): View {
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const room = Math.min((canvas.width - 2 * MARGIN.sides) / image.width, height / image.height);
  const bounded = Math.max(room, MIN_SCALE);
  const factor = Math.floor(bounded * density);
  const view = centerView(image, canvas, factor >= 1 ? Math.min(factor / density, 8) : bounded, density);
  return { ...view, y: onPixel(MARGIN.top + (height - image.height * view.scale) / 2, density) };
}

/** The image in the middle at a given scale. */
export function centerView(image: Extent, canvas: Extent, scale: number, density: number): View {
  return {
    scale,
    x: onPixel((canvas.width - image.width * scale) / 2, density),
    y: onPixel((canvas.height - image.height * scale) / 2, density),
  };
}

/** The nearest place where a pixel of the screen begins. */
function onPixel(at: number, density: number): number {
  return Math.round(at * density) / density;
}

/** Zooms so that what lies under `at` stays there. */
export function zoomView(view: View, at: Point, factor: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const applied = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * applied, y: at.y - (at.y - view.y) * applied };
}

/** Moves the view, but never so far that the image is lost from sight. */
export function panView(view: View, image: Extent, canvas: Extent, by: Point): View {
  const visible = 48;
  const clamp = (value: number, side: number, room: number) => Math.min(room - visible, Math.max(visible - side, value));
  return {
    scale: view.scale,
    x: clamp(view.x + by.x, image.width * view.scale, canvas.width),
    y: clamp(view.y + by.y, image.height * view.scale, canvas.height),
  };
}

/** The image's point under a point of the window. */
export function toImagePoint(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

/** Where the image lies on the canvas. It stays fitSize until the artist moves it. */
class ViewportState {
  canvas = $state<Extent>({ width: 0, height: 0 });
  image = $state<Extent>({ width: 1, height: 1 });
  /** Pixels of the screen for one of the window's. */
  density = $state(globalThis.devicePixelRatio ?? 1);
  #moved = $state<View | null>(null);

  view = $derived<View>(this.#moved ?? fitView(this.image, this.canvas, this.density));
  /** At 100 a pixel of the image is one of the screen. */
  percent = $derived(this.view.scale * this.density * 100);

  get isFitted(): boolean {
    return this.#moved === null;
  }

  /** Another image: its place is kept only where it lies on the same ground. */
  show(image: Extent): void {
    if (image.width === this.image.width && image.height === this.image.height) return;
    this.image = { width: image.width, height: image.height };
    this.#moved = null;
  }

  fit(): void {
    this.#moved = null;
  }

  zoomTo(percent: number): void {
    this.#moved = centerView(this.image, this.canvas, percent / 100 / this.density, this.density);
  }

  zoomBy(factor: number, at: Point = { x: this.canvas.width / 2, y: this.canvas.height / 2 }): void {
    this.#moved = zoomView(this.view, at, factor);
  }

  panBy(by: Point): void {
    this.#moved = panView(this.view, this.image, this.canvas, by);
  }
}

export const viewport = new ViewportState();
