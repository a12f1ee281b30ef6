/** A plan for display: without the model's tags. */
export function stripThinkTags(plan: string): string {
  return plan.replaceAll(/<\/?think>/g, '').trim();
}

/** A plan with the tags that the model expects. */
export function addThinkTags(plan: string): string {
  return `<think>${stripThinkTags(plan)}</think>`;
}

/** A segment of a plan; all segments joined are the whole plan. */
export interface TextSpan {
  text: string;
  /** Whether it differs from what the model wrote. */
  isChanged: boolean;
}

/** Splits a plan into sentences and marks those that the user wrote. */
export function diffSentences(original: string, draft: string): TextSpan[] {
  const known = new Map<string, number>();
  for (const sentence of splitSentences(original)) known.set(sentence.trim(), (known.get(sentence.trim()) ?? 0) + 1);
  return splitSentences(draft).map((text) => {
    const left = known.get(text.trim()) ?? 0;
    known.set(text.trim(), left - 1);
    return { text, isChanged: text.trim() !== '' && left <= 0 };
  });
}

/** Every character belongs to one sentence, including the whitespace after it. */
function splitSentences(text: string): string[] {
  return text.match(/[^.!?。！？\n]*(?:[.!?](?=\s|$)|[.!?]|[。！？]|\n|$)[ \t]*/g)?.filter((one) => one !== '') ?? [];
}
