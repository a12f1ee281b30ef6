/**
 * What the window can ask of the program behind it. This is the only door:
 * everything the frontend does to the world passes here, with ids and enums,
 * never with paths.
 */
import type { JobId } from './protocol';
import type { NewJob, NodeId, PreviewId, Snapshot, StudioEvent } from './studio';

export interface Host {
  /** Gives everything as it stands; every change after it goes to the listener, in order. */
  subscribe(listener: (events: StudioEvent[]) => void): Promise<Snapshot>;
  /** Queues a request. Rejects with a `Failure` when it makes no sense. */
  submit(job: NewJob): Promise<JobId>;
  cancel(job: JobId): Promise<void>;
  dismiss(job: JobId): Promise<void>;
  /** Lets the artist choose pictures; those read arrive as an event. */
  openPictures(): Promise<void>;
  /** Brings in the bytes of a picture file; it arrives as an event. */
  pastePicture(bytes: ArrayBuffer): Promise<void>;
  /** Lets the artist choose where a copy goes. Gives the file's name, or null when they chose none. */
  exportPicture(node: NodeId): Promise<string | null>;
  /** Lets the artist choose a model; it is loaded in place of the present one. */
  chooseModel(): Promise<void>;
  retryEngine(): Promise<void>;
  /** Addresses that an `img` can show. */
  pictureUrl(node: NodeId): string;
  thumbnailUrl(node: NodeId): string;
  previewUrl(preview: PreviewId): string;
}
