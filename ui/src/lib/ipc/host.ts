/**
 * What the window can ask of the program behind it. This is the only door:
 * everything the frontend does to the world passes here, with ids and enums,
 * never with paths. Everything that can fail rejects with a `Failure`.
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
 * What this program can do that not every one can: a window elsewhere has no file manager
 * beside it, and some systems let no image be dragged out.
 */
export type Ability =
  /** `dragOut` works. */
  | 'drag_out'
  /** `resetFolder` and `resetEngine` work. */
  | 'reset_places';

export interface Host {
  /** Gives everything as it stands; every change after it goes to the listener, in order. */
  subscribe(listener: (events: StudioEvent[]) => void): Promise<Snapshot>;
  abilities(): Promise<Ability[]>;

  // Jobs.
  /** Queues a request, a job for each of its variations. */
  submit(job: NewJob): Promise<JobId[]>;
  /** What a request will take. */
  estimate(job: NewJob): Promise<CostEstimate>;
  cancel(job: JobId): Promise<void>;
  cancelAll(): Promise<void>;
  /** Puts a job that failed, was interrupted or is planned away. */
  dismiss(job: JobId): Promise<void>;
  /** Queues a failed or interrupted job again. */
  retry(job: JobId): Promise<void>;
  /** Stops a job that paints, and keeps its newest step as an image of its project. */
  keep(job: JobId): Promise<void>;
  moveJob(job: JobId, place: JobPlace): Promise<void>;
  pauseQueue(isPaused: boolean): Promise<void>;
  /** Holds a job's plan, while it is written or when it will be complete. */
  pausePlan(job: JobId): Promise<void>;
  /** Lets a planned job paint this plan. */
  paintPlan(job: JobId, plan: string): Promise<void>;

  // Images and projects.
  project(project: ProjectId): Promise<ProjectContents>;
  /** Images of any project by their ids; those that are gone are left out. */
  nodes(nodes: NodeId[]): Promise<Node[]>;
  gallery(filter: GalleryFilter, after: GalleryCursor | null, limit: number): Promise<GalleryPage>;
  recipe(node: NodeId): Promise<RecipeView | null>;
  /** Previews of an image's steps, while they are kept; the last step is last. */
  steps(node: NodeId): Promise<PreviewId[]>;
  renameProject(project: ProjectId, name: string): Promise<void>;
  /** An empty name takes the artist's name away. */
  renameNode(node: NodeId, name: string): Promise<void>;
  changeTags(nodes: NodeId[], added: string[], removed: string[]): Promise<void>;
  setStarred(nodes: NodeId[], starred: boolean): Promise<void>;
  leaveOut(turns: TurnId[], leftOut: boolean): Promise<void>;
  trash(nodes: NodeId[]): Promise<void>;
  restore(nodes: NodeId[]): Promise<void>;
  emptyTrash(): Promise<void>;
  /** Paints an image again from its recipe as a new one: the same, or with other parameters. */
  replay(node: NodeId): Promise<JobId[]>;
  /** Paints an image again and compares; the outcome is an event. */
  verify(node: NodeId): Promise<void>;

  // Files, by dialogs of the host.
  openImages(): Promise<void>;
  /** Brings in the bytes of an image file; it arrives as an event. */
  pasteImage(bytes: ArrayBuffer): Promise<void>;
  /** Puts an image on the clipboard. */
  copyImage(node: NodeId): Promise<void>;
  /** One image to a file, several to a folder. Gives the name chosen, or null when none was. */
  exportImages(nodes: NodeId[], format: ExportFormat): Promise<string | null>;
  exportProject(project: ProjectId): Promise<string | null>;
  openProject(): Promise<ProjectId | null>;
  revealImage(node: NodeId): Promise<void>;
  /** Hands images to the system while the pointer is held down on them: they are dragged as files. */
  dragOut(nodes: NodeId[]): Promise<void>;

  // Models and the engine.
  hardware(): Promise<Hardware>;
  /** Times one layer of the full model's shape with random weights. */
  benchmark(): Promise<Trial>;
  /** Begins or resumes; whether the published files go once they are converted, or with null as it was meant before. */
  installModel(model: ModelId, quantization: string, removesSource: boolean | null): Promise<void>;
  pauseInstall(model: ModelId): Promise<void>;
  cancelInstall(model: ModelId): Promise<void>;
  /** Removes a form, or with null the published files. Gives the bytes freed. */
  removeModel(model: ModelId, quantization: string | null): Promise<number>;
  /** Lets the artist choose a folder or a file that they have. Gives null when none was chosen. */
  importModel(kind: 'folder' | 'file'): Promise<ModelId | null>;
  useModel(choice: ModelChoice): Promise<void>;
  restartEngine(): Promise<void>;

  // The program.
  changeSettings(change: SettingsChange): Promise<void>;
  /** Lets the artist choose a folder. Gives whether they did. */
  chooseFolder(folder: Folder): Promise<boolean>;
  chooseEngine(): Promise<boolean>;
  /** The system's usual place again. */
  resetFolder(folder: Folder): Promise<void>;
  /** The engine beside the program again. */
  resetEngine(): Promise<void>;
  /** Keeps a token for downloads in the system's keyring, or with null forgets it. */
  setToken(token: string | null): Promise<void>;
  /** Versions, hardware, settings and the last log lines, without secrets or prompts. */
  diagnostics(): Promise<string>;
  about(): Promise<About>;
  /** Closes the window although there is work. */
  close(): Promise<void>;

  /** Addresses that an `img` can show. */
  imageUrl(node: NodeId): string;
  thumbnailUrl(node: NodeId): string;
  previewUrl(preview: PreviewId): string;
}
