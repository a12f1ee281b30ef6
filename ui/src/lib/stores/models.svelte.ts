import { i18n } from '$lib/i18n/index.svelte';
import type { Failure, Hardware, Host, Install, ModelCard, ModelChoice, ModelId, Trial } from '$lib/ipc';
import type { LibraryState } from './library.svelte';
import type { Toasts } from './toasts.svelte';
import { formatBytes } from '$lib/format/quantities';
import type { ViewState } from './view.svelte';

/** Failures that a retry can fix. */
const RESUMABLE = new Set<Failure['code']>(['network', 'disk_full', 'hash_mismatch', 'busy', 'internal']);

/** Models, and the engine that runs them. */
export class Models {
  benchmarkResult = $state.raw<Trial | 'running' | null>(null);

  /** The hardware when it was last queried. */
  hardware = $state.raw<Hardware | null>(null);

  /** The install under way of each model. */
  readonly #installing = new Map<ModelId, string>();
  /** Models whose install ended; the next list of models says whether they were installed. */
  readonly #ended = new Map<ModelId, string>();
  #host: Host;
  #library: LibraryState;
  #view: ViewState;
  #toasts: Toasts;

  constructor(host: Host, library: LibraryState, view: ViewState, toasts: Toasts) {
    this.#host = host;
    this.#library = library;
    this.#view = view;
    this.#toasts = toasts;
  }

  /** Starts to track the installs under way. */
  trackInstalls(cards: ModelCard[]): void {
    for (const { id, install } of cards) if (install) this.#installing.set(id, install.quantization);
  }

  /** Tracks an install; a failure is announced where the models page is not in view. */
  onInstallChanged(model: ModelId, install: Install | null): void {
    const quantization = this.#installing.get(model);
    if (install === null) {
      this.#installing.delete(model);
      if (quantization !== undefined) this.#ended.set(model, quantization);
      return;
    }
    this.#installing.set(model, install.quantization);
    this.#ended.delete(model);
    if (install.stage.stage === 'failed') this.#reportFailure(model, install, install.stage.failure);
  }

  /** Announces models whose install is complete. */
  announceInstalled(cards: ModelCard[]): void {
    for (const { id, name, forms } of cards) {
      const quantization = this.#ended.get(id);
      if (quantization === undefined || !forms.some((form) => form.quantization === quantization && form.is_installed)) continue;
      this.#ended.delete(id);
      const action = { label: () => i18n.m.models.use, run: () => this.use({ model: id, quantization }) };
      const text = () => i18n.m.models.install.ready(name[i18n.language], quantization.toUpperCase());
      this.#toasts.show({ text, action, isSticky: true });
    }
  }

  install(model: ModelId, quantization: string, removesSource: boolean | null): void {
    void this.#toasts.try(() => this.#host.installModel(model, quantization, removesSource));
  }

  pauseInstall(model: ModelId): void {
    void this.#toasts.try(() => this.#host.pauseInstall(model));
  }

  cancelInstall(model: ModelId): void {
    void this.#toasts.try(() => this.#host.cancelInstall(model));
  }

  /** Removing an import frees next to nothing when its files stay with the user. */
  remove(model: ModelId, quantization: string | null, isImport: boolean): void {
    void this.#toasts.try(async () => {
      const bytes = await this.#host.removeModel(model, quantization);
      const isForgotten = isImport && quantization === null;
      this.#toasts.show({ text: () => (isForgotten ? i18n.m.models.forgotten : i18n.m.models.freed(formatBytes(bytes, i18n.tag))) });
    });
  }

  import(kind: 'folder' | 'file'): void {
    void this.#toasts.try(() => this.#host.importModel(kind));
  }

  use(choice: ModelChoice): void {
    void this.#toasts.try(() => this.#host.useModel(choice));
  }

  /** Queries the hardware again, because free memory changes. */
  readHardware(): void {
    void this.#toasts.try(async () => {
      this.hardware = await this.#host.hardware();
    });
  }

  async benchmark(): Promise<void> {
    this.benchmarkResult = 'running';
    await this.#toasts.try(async () => {
      this.benchmarkResult = await this.#host.benchmark();
    });
    if (this.benchmarkResult === 'running') this.benchmarkResult = null;
  }

  #reportFailure(model: ModelId, install: Install, failure: Failure): void {
    if (this.#view.place === 'models') return;
    const name = this.#library.models.find(({ id }) => id === model)?.name;
    const text = () => i18n.m.models.install.label(name?.[i18n.language] ?? model);
    const action = RESUMABLE.has(failure.code)
      ? { label: () => i18n.m.models.install.resume, run: () => this.install(model, install.quantization, null) }
      : { label: () => i18n.m.actions.models, run: () => void (this.#view.place = 'models') };
    this.#toasts.show({ text, failure, action });
  }

  restartEngine(): void {
    void this.#toasts.try(() => this.#host.restartEngine());
  }
}
