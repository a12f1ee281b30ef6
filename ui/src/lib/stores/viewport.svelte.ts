import { centerd, fit, panned, zoomed, type Extent, type Point, type View } from './viewport';

/** Where the image lies on the stage. It stays fitted until the artist moves it. */
class ViewportState {
  stage = $state<Extent>({ width: 0, height: 0 });
  image = $state<Extent>({ width: 1, height: 1 });
  /** Pixels of the screen for one of the window's. */
  density = $state(globalThis.devicePixelRatio ?? 1);
  #moved = $state<View | null>(null);

  view = $derived<View>(this.#moved ?? fit(this.image, this.stage, this.density));
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
    this.#moved = centerd(this.image, this.stage, percent / 100 / this.density, this.density);
  }

  zoomBy(factor: number, at: Point = { x: this.stage.width / 2, y: this.stage.height / 2 }): void {
    this.#moved = zoomed(this.view, at, factor);
  }

  panBy(by: Point): void {
    this.#moved = panned(this.view, this.image, this.stage, by);
  }
}

export const viewport = new ViewportState();
