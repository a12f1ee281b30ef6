/** Plans as the artist reads them: without the tags that belong to the model. */
export function stripThinkTags(plan: string): string {
  return plan.replaceAll(/<\/?think>/g, '').trim();
}

/** A plan as the model reads it. */
export function addThinkTags(plan: string): string {
  return `<think>${stripThinkTags(plan)}</think>`;
}

/** A stretch of a plan; those that follow each other are the whole plan. */
export interface TextSpan {
  text: string;
  /** Whether the model did not write it so. */
  isChanged: boolean;
}

/** A plan sentence by sentence, and which of them the artist has written. */
export function diffSentences(original: string, draft: string): TextSpan[] {
  const known = new Map<string, number>();
  for (const sentence of splitSentences(original)) known.set(sentence.trim(), (known.get(sentence.trim()) ?? 0) + 1);
  return splitSentences(draft).map((text) => {
    const left = known.get(text.trim()) ?? 0;
    known.set(text.trim(), left - 1);
    return { text, isChanged: text.trim() !== '' && left <= 0 };
  });
}

/** Every character belongs to one sentence: the space after it, and the lines, too. */
function splitSentences(text: string): string[] {
  return text.match(/[^.!?。！？\n]*(?:[.!?](?=\s|$)|[.!?]|[。！？]|\n|$)[ \t]*/g)?.filter((one) => one !== '') ?? [];
}
