import { expect, test } from 'vitest';
import { diffSentences, stripThinkTags, addThinkTags } from './plans';

const changed = (original: string, draft: string) =>
  diffSentences(original, draft)
    .filter(({ isChanged }) => isChanged)
    .map(({ text }) => text.trim());

test('the tags of the model are added and removed', () => {
  expect(stripThinkTags('<think>\nA boat.\n</think>')).toBe('A boat.');
  expect(addThinkTags(' A boat. ')).toBe('<think>A boat.</think>');
});

test('only the sentences that the user wrote are marked', () => {
  const plan = 'A boat lies at 3.5 m. The sky is red.\nNo wind!';
  expect(changed(plan, plan)).toEqual([]);
  expect(changed(plan, 'A boat lies at 3.5 m. The sky is blue.\nNo wind!')).toEqual(['The sky is blue.']);
  expect(changed(plan, `${plan} Two moons.`)).toEqual(['Two moons.']);
  expect(changed(plan, 'The sky is red. The sky is red.')).toEqual(['The sky is red.']);
  expect(changed(plan, 'No wind!')).toEqual([]);
  expect(changed('一艘船。天空是红色。', '一艘船。天空是蓝色。')).toEqual(['天空是蓝色。']);
});

test('the segments of a plan join to the whole plan', () => {
  for (const draft of ['', ' ', '\n\n', 'one', 'one. two', 'a.b.c. d?! e…', '。。\n 一。', 'x\r\ny\t.', '...', '3.5 m and e.g. this. ']) {
    expect(
      diffSentences('one.', draft)
        .map(({ text }) => text)
        .join(''),
    ).toBe(draft);
  }
});
