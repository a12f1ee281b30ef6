/** Plans as the artist reads them: without the tags that belong to the model. */
export function readable(thought: string): string {
  return thought.replaceAll(/<\/?think>/g, '').trim();
}

/** A plan as the model reads it. */
export function tagged(plan: string): string {
  return `<think>${readable(plan)}</think>`;
}
