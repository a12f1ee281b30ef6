import { centred, fit, panned, zoomed, type Extent, type Point, type View } from './viewport';

/** Where the picture lies on the stage. It stays fitted until the artist moves it. */
class ViewportState {
  stage = $state<Extent>({ width: 0, height: 0 });
  picture = $state<Extent>({ width: 1, height: 1 });
  /** Pixels of the screen for one of the window's. */
  density = $state(globalThis.devicePixelRatio ?? 1);
  #moved = $state<View | null>(null);

  view = $derived<View>(this.#moved ?? fit(this.picture, this.stage, this.density));
  /** At 100 a pixel of the picture is one of the screen. */
  percent = $derived(this.view.scale * this.density * 100);

  get isFitted(): boolean {
    return this.#moved === null;
  }

  /** Another picture: its place is kept only where it lies on the same ground. */
  show(picture: Extent): void {
    if (picture.width === this.picture.width && picture.height === this.picture.height) return;
    this.picture = { width: picture.width, height: picture.height };
    this.#moved = null;
  }

  fit(): void {
    this.#moved = null;
  }

  zoomTo(percent: number): void {
    this.#moved = centred(this.picture, this.stage, percent / 100 / this.density, this.density);
  }

  zoomBy(factor: number, at: Point = { x: this.stage.width / 2, y: this.stage.height / 2 }): void {
    this.#moved = zoomed(this.view, at, factor);
  }

  panBy(by: Point): void {
    this.#moved = panned(this.view, this.picture, this.stage, by);
  }
}

export const viewport = new ViewportState();
