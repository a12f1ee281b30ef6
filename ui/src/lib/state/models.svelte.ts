import { i18n } from '$lib/i18n/index.svelte';
import type { Hardware, Host, ModelChoice, ModelId, Trial } from '$lib/ipc';
import type { Notices } from './notices.svelte';
import { formatBytes } from './quantities';

/** What can be done with models and with the engine that runs them. */
export class Models {
  /** What trying the hardware has shown. */
  trial = $state.raw<Trial | 'running' | null>(null);

  /** What the machine has, as it was when it was last looked at. */
  hardware = $state.raw<Hardware | null>(null);

  #host: Host;
  #notices: Notices;

  constructor(host: Host, notices: Notices) {
    this.#host = host;
    this.#notices = notices;
  }

  install(model: ModelId, quantization: string, removesSource: boolean | null): void {
    void this.#notices.try(() => this.#host.installModel(model, quantization, removesSource));
  }

  pauseInstall(model: ModelId): void {
    void this.#notices.try(() => this.#host.pauseInstall(model));
  }

  cancelInstall(model: ModelId): void {
    void this.#notices.try(() => this.#host.cancelInstall(model));
  }

  /** Of an import whose files the artist keeps, nothing to speak of becomes free. */
  remove(model: ModelId, quantization: string | null, isImport: boolean): void {
    void this.#notices.try(async () => {
      const bytes = await this.#host.removeModel(model, quantization);
      const { freed, forgotten } = i18n.m.models;
      this.#notices.notify({ text: isImport && quantization === null ? forgotten : freed(formatBytes(bytes, i18n.tag)) });
    });
  }

  import(kind: 'folder' | 'file'): void {
    void this.#notices.try(() => this.#host.importModel(kind));
  }

  use(choice: ModelChoice): void {
    void this.#notices.try(() => this.#host.useModel(choice));
  }

  /** Looks at the machine again: what is free changes. */
  readHardware(): void {
    void this.#notices.try(async () => {
      this.hardware = await this.#host.hardware();
    });
  }

  async tryHardware(): Promise<void> {
    this.trial = 'running';
    await this.#notices.try(async () => {
      this.trial = await this.#host.tryHardware();
    });
    if (this.trial === 'running') this.trial = null;
  }

  retryEngine(): void {
    void this.#notices.try(() => this.#host.retryEngine());
  }
}
