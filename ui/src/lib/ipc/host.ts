/**
 * The interface between the window and the host. The window has no other access to the
 * system, and passes ids and enums instead of paths. Failed calls reject with a `Failure`.
 */
import type {
  About,
  ExportFormat,
  Folder,
  GalleryCursor,
  GalleryFilter,
  GalleryPage,
  Hardware,
  JobId,
  JobPlace,
  ModelChoice,
  ModelId,
  NewJob,
  Node,
  NodeId,
  ProjectContents,
  ProjectId,
  PreviewId,
  CostEstimate,
  RecipeView,
  SettingsChange,
  Snapshot,
  StudioEvent,
  Trial,
  TurnId,
} from './protocol';

/**
 * Optional features: a remote window has no file manager, and some systems cannot
 * drag images out of a web view.
 */
export type Ability =
  /** `dragOut` works. */
  | 'drag_out'
  /** `resetFolder` and `resetEngine` work. */
  | 'reset_places';

export interface Host {
  /** Returns the current state; later changes go to the listener, in order. */
  subscribe(listener: (events: StudioEvent[]) => void): Promise<Snapshot>;
  abilities(): Promise<Ability[]>;

  // Jobs.
  /** Queues a request as one job per variation. */
  submit(job: NewJob): Promise<JobId[]>;
  /** Estimates memory and time. */
  estimate(job: NewJob): Promise<CostEstimate>;
  cancel(job: JobId): Promise<void>;
  cancelAll(): Promise<void>;
  /** Removes a failed, interrupted or planned job. */
  dismiss(job: JobId): Promise<void>;
  /** Queues a failed or interrupted job again. */
  retry(job: JobId): Promise<void>;
  /** Stops a job and keeps its newest step as an image. */
  keep(job: JobId): Promise<void>;
  moveJob(job: JobId, place: JobPlace): Promise<void>;
  pauseQueue(isPaused: boolean): Promise<void>;
  /** Pauses a job once its plan is written. */
  pausePlan(job: JobId): Promise<void>;
  /** Continues a planned job with this plan. */
  paintPlan(job: JobId, plan: string): Promise<void>;

  // Images and projects.
  project(project: ProjectId): Promise<ProjectContents>;
  /** Images of any project; deleted ones are omitted. */
  nodes(nodes: NodeId[]): Promise<Node[]>;
  gallery(filter: GalleryFilter, after: GalleryCursor | null, limit: number): Promise<GalleryPage>;
  recipe(node: NodeId): Promise<RecipeView | null>;
  /** Previews of an image's steps in order, while they are kept. */
  steps(node: NodeId): Promise<PreviewId[]>;
  renameProject(project: ProjectId, name: string): Promise<void>;
  /** An empty name removes the user's name. */
  renameNode(node: NodeId, name: string): Promise<void>;
  changeTags(nodes: NodeId[], added: string[], removed: string[]): Promise<void>;
  setStarred(nodes: NodeId[], starred: boolean): Promise<void>;
  leaveOut(turns: TurnId[], leftOut: boolean): Promise<void>;
  trash(nodes: NodeId[]): Promise<void>;
  restore(nodes: NodeId[]): Promise<void>;
  emptyTrash(): Promise<void>;
  /** Generates an image again from its recipe, as a new image. */
  replay(node: NodeId): Promise<JobId[]>;
  /** Generates an image again and compares; the outcome comes as an event. */
  verify(node: NodeId): Promise<void>;

  // Files, by dialogs of the host.
  openImages(): Promise<void>;
  /** Imports an image file; an `arrived` event follows. */
  pasteImage(bytes: ArrayBuffer): Promise<void>;
  /** Copies an image to the clipboard. */
  copyImage(node: NodeId): Promise<void>;
  /** Exports one image to a file, several to a folder. Returns the chosen name, or null if canceled. */
  exportImages(nodes: NodeId[], format: ExportFormat): Promise<string | null>;
  exportProject(project: ProjectId): Promise<string | null>;
  openProject(): Promise<ProjectId | null>;
  revealImage(node: NodeId): Promise<void>;
  /** Starts a native drag of image files; the pointer must be down. */
  dragOut(nodes: NodeId[]): Promise<void>;

  // Models and the engine.
  hardware(): Promise<Hardware>;
  /** Times one layer of the full model's shape with random weights. */
  benchmark(): Promise<Trial>;
  /** Starts or resumes an install; the flag removes the published files after conversion, null keeps the earlier choice. */
  installModel(model: ModelId, quantization: string, removesSource: boolean | null): Promise<void>;
  pauseInstall(model: ModelId): Promise<void>;
  cancelInstall(model: ModelId): Promise<void>;
  /** Removes a form, or with null the published files. Returns the bytes freed. */
  removeModel(model: ModelId, quantization: string | null): Promise<number>;
  /** Chooses a folder or file to import. Returns null if canceled. */
  importModel(kind: 'folder' | 'file'): Promise<ModelId | null>;
  useModel(choice: ModelChoice): Promise<void>;
  restartEngine(): Promise<void>;

  // The program.
  changeSettings(change: SettingsChange): Promise<void>;
  /** Opens a folder dialog. Returns false if canceled. */
  chooseFolder(folder: Folder): Promise<boolean>;
  chooseEngine(): Promise<boolean>;
  /** Resets to the default folder. */
  resetFolder(folder: Folder): Promise<void>;
  /** Resets to the included engine. */
  resetEngine(): Promise<void>;
  /** Saves the download token in the system's keyring; null removes it. */
  setToken(token: string | null): Promise<void>;
  /** Versions, hardware, settings and the last log lines, without secrets or prompts. */
  diagnostics(): Promise<string>;
  about(): Promise<About>;
  /** Closes the window although jobs are running. */
  close(): Promise<void>;

  /** URLs for `img` elements. */
  imageUrl(node: NodeId): string;
  thumbnailUrl(node: NodeId): string;
  previewUrl(preview: PreviewId): string;
}
