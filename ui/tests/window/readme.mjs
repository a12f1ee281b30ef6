/**
 * The images of the READMEs: the real program with the pocket model, in English (dark) and Chinese (light).
 *
 *   node tests/window/readme.mjs en|zh     writes docs/images/*.png
 *
 * Not part of the tests: what is painted is chosen to be looked at, and looked at it must be.
 */
import { join } from 'node:path';
import { sleep, waitFor } from './driver.mjs';
import { submitPrompt, checkPrograms, chooseFromMenu, pressKey, setSeed, logPath, openStudio, listImages, root, clickRow, countRows, waitForIdle, setUp, tearDown } from './studio.mjs';

const stories = {
  en: {
    suffix: '',
    look: ['English', 'Dark'],
    modes: { generate: 'Generate', edit: 'Edit', chat: 'Chat' },
    first: 'A large red star in the centre on a blue background',
    edits: ['Make the star yellow', 'Add a small white square in the top left corner'],
    branch: 'Give the image a green background',
    question: 'Describe the image',
    thinking: 'Review plan',
    planned: 'A large red heart on a white background',
    changed: ['white background', 'yellow background'],
    more: [
      'A green square on the left and a small black circle on the right on a white background',
      'A large yellow star in the centre on a black background',
      'A small red heart at the top on a background that is white above and green below',
      'A blue triangle in the centre on a yellow background',
      'A large white square on a red background',
      'A medium green circle in the bottom right corner on a black background',
      'A red triangle on the left and a blue star on the right on a white background',
      'A large blue heart in the centre on a white background',
    ],
    again: [
      ['Make the star red', 'Add a small white circle in the bottom left corner'],
      ['Turn the triangle into a heart'],
      ['Give the image a white background', 'Make the circle blue', 'Add a small red star in the top left corner'],
      ['Make the heart black', 'Give the image a green background'],
    ],
  },
  zh: {
    suffix: '.zh',
    look: ['中文', '浅色'],
    modes: { generate: '生成', edit: '编辑', chat: '对话' },
    first: '画一个大的红色星星，要蓝色背景',
    edits: ['把星星变成黄色', '请加上左上角一个小的白色正方形'],
    branch: '把背景换成绿色背景',
    question: '请描述这张图',
    thinking: '审阅方案',
    planned: '画一个大的红色爱心，白色背景',
    changed: ['白色背景', '黄色背景'],
    more: [
      '白色背景，左边一个绿色正方形和右边一个小的黑色圆形',
      '画一个大的黄色星星，黑色背景',
      '画一个蓝色三角形，黄色背景',
      '红色背景，中间一个大的白色正方形',
      '黑色背景，右下角一个中等大小的绿色圆形',
      '白色背景，左边一个红色三角形和右边一个蓝色星星',
      '画一个大的蓝色爱心，白色背景',
    ],
    again: [
      ['把星星变成红色', '加左下角一个小的白色圆形'],
      ['把正方形换成一个三角形'],
      ['把背景换成黄色背景', '去掉星星', '把三角形变成绿色'],
    ],
  },
};

async function makeImage(b, mode, words) {
  const before = listImages().length;
  await submitPrompt(b, mode, words);
  await waitFor(words, () => listImages().length === before + 1);
  await waitForIdle(b);
  console.log(words);
}

async function tellStory(b, story) {
  const { modes } = story;
  const shot = async (name) => {
    await b.execute('document.activeElement?.blur()');
    await sleep(600);
    await b.screenshot(join(root, 'docs/images', `${name}${story.suffix}.png`));
  };
  await b.waitForText('.welcome');
  await b.click('.welcome .head button');
  await b.waitForText('.dot.ready');
  await pressKey(b, ',', { ctrlKey: true });
  for (const word of story.look) await b.clickText('.settings label', word);
  await pressKey(b, 'e');
  await setSeed(b, 8);

  // The gallery's other projects come first, so that the story stands before them.
  for (const [index, words] of story.more.entries()) {
    await pressKey(b, 'n', { ctrlKey: true });
    await makeImage(b, modes.generate, words);
    if (index % 2 === 1) for (const edit of story.again[(index - 1) / 2]) await makeImage(b, modes.edit, edit);
  }

  await pressKey(b, 'n', { ctrlKey: true });
  await makeImage(b, modes.generate, story.first);
  const origin = story.first.slice(0, 8);
  await makeImage(b, modes.edit, story.branch);
  await clickRow(b, origin);
  for (const edit of story.edits) await makeImage(b, modes.edit, edit);
  await b.click('[role=tab][data-tab=chat]');
  await submitPrompt(b, modes.chat, story.question);
  await waitFor('an answer', async () => (await b.count('article .answer:not(.growing)')) === 1);
  await waitForIdle(b);
  await b.clickText('.composer label', modes.edit);
  await waitFor('the history', async () => (await countRows(b)) === 4);
  await shot('studio');

  await pressKey(b, 'n', { ctrlKey: true });
  await chooseFromMenu(b, '.think button', story.thinking);
  await submitPrompt(b, modes.generate, story.planned);
  await b.waitForText('.plan textarea');
  await waitFor('the plan', () => b.execute(`return document.querySelector('.plan textarea')?.value.includes(arguments[0])`, story.changed[0]));
  await b.execute(
    `const plan = document.querySelector('.plan textarea');
     plan.value = plan.value.replace(...arguments[0]); plan.dispatchEvent(new Event('input', { bubbles: true }));`,
    story.changed,
  );
  await shot('plan');
  await b.clickText('.plan .actions button', await b.execute(`return [...document.querySelectorAll('.plan .actions button')].at(-1).textContent.trim()`));
  await waitForIdle(b);
  await pressKey(b, 'g');
  await b.waitForText('[role=gridcell]');
  await shot('gallery');
  await pressKey(b, 'm');
  await b.waitForText('article', 'BAGEL');
  await shot('models');
}

checkPrograms();
const story = stories[process.argv[2]];
if (!story) {
  console.error('name the language: en or zh');
  process.exit(1);
}
let browser;
try {
  await setUp();
  browser = await openStudio();
  await tellStory(browser, story);
} catch (error) {
  console.error(error);
  console.error(`What the programs said is in ${logPath}.`);
  await browser?.screenshot(join(root, 'artefacts/window/failed.png')).catch(() => {});
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  tearDown();
}
