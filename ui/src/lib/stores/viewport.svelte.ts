/** Zoom and pan as pure functions: where an image's pixels lie in the window. */

export interface Point {
  x: number;
  y: number;
}

export interface Extent {
  width: number;
  height: number;
}

/** A transform: `scale` window pixels for one image pixel, top left corner at `x`, `y`. */
export interface View extends Point {
  scale: number;
}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 64;

/** Margin around a fitted image, for the toolbar and the job's progress. */
const MARGIN = { top: 58, bottom: 68, sides: 28 };

/**
 * Fits and centers the whole image. Small images are enlarged by whole factors, so that pixels stay square:
 * whole in device pixels, of which `density` make one window pixel.
 */
export function fitView(image: Extent, canvas: Extent, density: number): View {
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const room = Math.min((canvas.width - 2 * MARGIN.sides) / image.width, height / image.height);
  const bounded = Math.max(room, MIN_SCALE);
  const factor = Math.floor(bounded * density);
  const view = centerView(image, canvas, factor >= 1 ? Math.min(factor / density, 8) : bounded, density);
  return { ...view, y: onPixel(MARGIN.top + (height - image.height * view.scale) / 2, density) };
}

/** Centers the image at a given scale. */
export function centerView(image: Extent, canvas: Extent, scale: number, density: number): View {
  return {
    scale,
    x: onPixel((canvas.width - image.width * scale) / 2, density),
    y: onPixel((canvas.height - image.height * scale) / 2, density),
  };
}

/** Rounds to a device pixel. */
function onPixel(at: number, density: number): number {
  return Math.round(at * density) / density;
}

/** Zooms while keeping the point under `at` in place. */
export function zoomView(view: View, at: Point, factor: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const applied = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * applied, y: at.y - (at.y - view.y) * applied };
}

/** Pans, but never so far that the image is out of view. */
export function panView(view: View, image: Extent, canvas: Extent, by: Point): View {
  const visible = 48;
  const clamp = (value: number, side: number, room: number) => Math.min(room - visible, Math.max(visible - side, value));
  return {
    scale: view.scale,
    x: clamp(view.x + by.x, image.width * view.scale, canvas.width),
    y: clamp(view.y + by.y, image.height * view.scale, canvas.height),
  };
}

/** The image point under a window point. */
export function toImagePoint(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

/** The image's transform on the canvas. It stays fitted until the user moves it. */
class ViewportState {
  canvas = $state<Extent>({ width: 0, height: 0 });
  image = $state<Extent>({ width: 1, height: 1 });
  /** Device pixels per window pixel. */
  density = $state(globalThis.devicePixelRatio ?? 1);
  #moved = $state<View | null>(null);

  view = $derived<View>(this.#moved ?? fitView(this.image, this.canvas, this.density));
  /** At 100 one image pixel is one device pixel. */
  percent = $derived(this.view.scale * this.density * 100);

  get isFitted(): boolean {
    return this.#moved === null;
  }

  /** Changes the image; keeps the position only if the size is the same. */
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
