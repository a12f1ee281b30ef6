/** Contents of the fake host: projects with branches, and any number of images. */
import { parameters } from '../blank';
import type {
  GalleryCounts,
  GalleryFilter,
  GalleryPage,
  ImageParameters,
  Node,
  NodeId,
  Project,
  ProjectId,
  RecipeView,
  Turn,
} from '../protocol';
import { hash } from './paint';

const MINUTE = 60_000;
const START = Date.UTC(2026, 9, 1, 9);
const TAGS = ['harbor', 'night', 'sketch', 'client', 'warm', '海'];
const EDITS = [
  'Make the sails red',
  'Turn it into night, keep the boat',
  'Add a lighthouse on the left',
  'Lighthouse taller, lamp lit',
  'Less blue, more gray',
  '让天空更暖一些',
  'Add gulls over the water',
];
const BEGINNINGS = [
  'A sailing boat in a quiet harbor at dusk',
  'Three islands in morning fog',
  'harbor.jpg',
  'A ferry leaving, seen from above',
  '雨后的小港口',
  'Wooden boats on a beach',
];

export class World {
  readonly nodes = new Map<NodeId, Node>();
  readonly projects = new Map<ProjectId, Project>();
  readonly turns = new Map<ProjectId, Turn[]>();
  /** Parameters of images that differ from the defaults. */
  readonly images = new Map<NodeId, ImageParameters>();
  #ofProject = new Map<ProjectId, Node[]>();
  #count = 0;

  /** A unique id. */
  name(kind: string): string {
    return `${kind}-${String((this.#count += 1)).padStart(5, '0')}`;
  }

  add(node: Node): Project {
    this.nodes.set(node.id, node);
    const nodes = this.#ofProject.get(node.project) ?? [];
    nodes.push(node);
    this.#ofProject.set(node.project, nodes);
    return this.refresh(node.project, node.prompt, node.created_ms);
  }

  /** Updates a project's counts and cover. */
  refresh(id: ProjectId, name: string, at: number): Project {
    const nodes = this.nodesOf(id).filter((node) => node.trashed_ms === null);
    const before = this.projects.get(id);
    const project: Project = {
      id,
      name: before?.name ?? name,
      cover: nodes.at(-1)?.id ?? null,
      n_nodes: nodes.length,
      created_ms: before?.created_ms ?? at,
      changed_ms: Math.max(at, before?.changed_ms ?? 0),
    };
    this.projects.set(id, project);
    return project;
  }

  /** Deletes what is in the trash, and projects that lose their last image. */
  emptyTrash(): { nodes: NodeId[]; projects: ProjectId[] } {
    const gone = [...this.nodes.values()].filter((node) => node.trashed_ms !== null);
    const projects: ProjectId[] = [];
    for (const { id, project } of gone) {
      this.nodes.delete(id);
      const left = this.nodesOf(project).filter((node) => node.id !== id);
      this.#ofProject.set(project, left);
      if (left.length === 0 && !this.turns.get(project)?.length && this.projects.delete(project)) projects.push(project);
    }
    return { nodes: gone.map((node) => node.id), projects };
  }

  nodesOf(project: ProjectId): Node[] {
    return this.#ofProject.get(project) ?? [];
  }

  get newest(): Project[] {
    return [...this.projects.values()].sort((a, b) => b.changed_ms - a.changed_ms);
  }

  counts(): GalleryCounts {
    const all = [...this.nodes.values()];
    const here = all.filter((node) => node.trashed_ms === null);
    const tags = new Map<string, number>();
    for (const node of here) for (const tag of node.tags) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    return {
      n_nodes: here.length,
      n_trashed: all.length - here.length,
      n_starred: here.filter((node) => node.starred).length,
      tags: [...tags].map(([tag, n_nodes]) => ({ tag, n_nodes })).sort((a, b) => (a.tag < b.tag ? -1 : 1)),
    };
  }

  page(filter: GalleryFilter, after: string | null, limit: number): GalleryPage {
    const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.newest.flatMap((project) =>
      this.nodesOf(project.id)
        .filter((node) => {
          const text = [node.prompt, node.name, node.plan, ...node.tags].join(' ').toLowerCase();
          return (
            (node.trashed_ms === null) === (filter.place === 'library') &&
            words.every((word) => text.includes(word)) &&
            filter.tags.every((tag) => node.tags.includes(tag)) &&
            (!filter.starred || node.starred) &&
            (filter.origin === null || node.origin === filter.origin)
          );
        })
        .reverse(),
    );
    const from = Number(after ?? 0);
    const nodes = found.slice(from, from + limit);
    const projects = [...new Set(nodes.map((node) => node.project))].flatMap((id) => this.projects.get(id) ?? []);
    return { nodes, projects, next: from + limit < found.length ? String(from + limit) : null, total: found.length };
  }

  recipe(node: Node): RecipeView | null {
    if (!node.has_recipe) return null;
    return {
      kind: node.parent === null ? 'generate' : 'edit',
      prompt: node.prompt,
      parameters: { ...parameters, size: node.size, seed: node.seed, ...this.images.get(node.id) },
      plan: node.plan,
      images: [...node.references, ...(node.parent === null ? [] : [node.parent])],
      n_missing: 0,
      model: node.model,
      is_present_model: hash(node.id) % 5 !== 0,
      engine: '0.1.0',
      unknown: hash(node.id) % 7 === 0 ? ['negative_prompt'] : [],
    };
  }
}

/** Creates `n` images in projects of about seven; `words` maps every text. */
export function populated(n: number, words: (text: string) => string): World {
  const world = new World();
  let made = 0;
  for (let project = 0; made < n; project += 1) {
    const id = world.name('project');
    const size = project % 3 === 1 ? { width: 768, height: 1024 } : { width: 1024, height: 768 };
    const own: Node[] = [];
    const length = Math.min(n - made, project === 0 ? 5 : 3 + (hash(id) % 9));
    for (let index = 0; index < length; index += 1) {
      // Every third image branches off an earlier one.
      const parent = index === 0 ? null : own[index % 3 === 0 ? Math.floor(index / 2) - 1 : index - 1];
      const beginning = BEGINNINGS[project % BEGINNINGS.length] ?? '';
      const isFile = beginning.endsWith('.jpg');
      const title = parent ? (EDITS[(project + index) % EDITS.length] ?? '') : beginning;
      const at = START + made * 7 * MINUTE;
      const node: Node = {
        id: world.name('node'),
        project: id,
        parent: parent?.id ?? null,
        references: [],
        origin: parent ? 'edit' : isFile ? 'imported' : 'generate',
        prompt: words(title),
        name: null,
        size,
        seed: isFile && !parent ? null : 1834 + made,
        plan: index % 4 === 2 ? words(PLAN) : null,
        has_recipe: !isFile || parent !== null,
        model: isFile && !parent ? null : words('pocket'),
        starred: index % 5 === 3,
        tags: [TAGS[project % TAGS.length] ?? '', ...(index % 3 === 2 ? [TAGS[(project + 2) % TAGS.length] ?? ''] : [])].map(words).sort(),
        trashed_ms: made % 41 === 40 ? at : null,
        took_ms: isFile && !parent ? null : 21_400,
        created_ms: at,
      };
      own.push(node);
      world.add(node);
      made += 1;
    }
    world.turns.set(id, project % 2 === 0 ? [turn(world, own[0], words)] : []);
  }
  // The most recent project has a branch and a conversation.
  const first = [...world.projects.values()][0];
  if (first) world.projects.set(first.id, { ...first, changed_ms: START + (n + 10) * 7 * MINUTE });
  return world;
}

export const PLAN =
  'The scene should move from dusk to a clear night. The sky becomes a deep blue with small stars, and a thin moon above the left hill. The boat, its sails and the outline of the hills stay where they are. Reflections in the water turn dark blue with a faint warm line under the mast.';

export const ANSWER =
  'A quiet harbor at dusk: one sailing boat, dark hills, and a sky going from rose to violet. The water is calm and repeats the colors of the sky.';

function turn(world: World, node: Node | undefined, words: (text: string) => string): Turn {
  return {
    id: world.name('turn'),
    prompt: words('What is in this image?'),
    images: node ? [node.id] : [],
    plan: null,
    answer: words(ANSWER),
    stopped: false,
    left_out: false,
    created_ms: START,
  };
}
