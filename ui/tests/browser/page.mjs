/** What parts do to a page, and ask of it. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

/** What a method of the program was asked, each time. */
export const asked = (page, name) =>
  page.evaluate((wanted) => globalThis.puppet.calls.filter((call) => call.name === wanted).map((call) => call.values), name);

/** What the program tells the window. */
export const tell = (page, ...events) => page.evaluate((all) => globalThis.puppet.tell(...all), events);

/** What is on the clipboard. */
export const copied = (page) => page.evaluate(() => navigator.clipboard.readText());

export async function until(what, question) {
  for (let tries = 0; tries < 750; tries += 1) {
    if (await question()) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Waits until an answer is what is wanted, or matches it; a page that follows a moment later is slow, not wrong. */
export async function holds(question, wanted, why) {
  const fits = (answer) => (wanted instanceof RegExp ? wanted.test(answer) : isDeepStrictEqual(answer, wanted));
  let answer = await question();
  for (let tries = 0; tries < 250 && !fits(answer); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    answer = await question();
  }
  if (wanted instanceof RegExp) assert.match(answer, wanted, why);
  else assert.deepEqual(answer, wanted, why);
}

/** Moves the focus with Tab until it is on what is looked for, by its selector and the words that it shows. */
export async function tabTo(page, selector, words = '', most = 120) {
  const isThere = ([wanted, shown]) => {
    const element = document.activeElement;
    return element !== null && element.matches(wanted) && element.textContent.includes(shown);
  };
  for (let n = 0; n < most; n += 1) {
    if (await page.evaluate(isThere, [selector, words])) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${selector} ${words}`);
}

export const text = (page, selector) => page.locator(selector).first().innerText();
export const nothingRuns = (page) => until('the queue to be empty', async () => (await page.locator('.progress').count()) === 0);

/** Waits until an element with these words is there. */
export const see = (page, selector, words) => until(`“${words}” in ${selector}`, async () => (await page.locator(selector).filter({ hasText: words }).count()) > 0);

/** Waits until nothing is found there any more. */
export const gone = (page, selector) => until(`no ${selector}`, async () => (await page.locator(selector).count()) === 0);

/** Waits for the next call of a method, and gives what it was asked. */
export async function next(page, name, n = 1) {
  await until(`${name} to be asked for`, async () => (await asked(page, name)).length >= n);
  const calls = await asked(page, name);
  if (calls.length !== n) throw new Error(`${name} was asked for ${String(calls.length)} times, not ${String(n)}`);
  return calls[n - 1];
}

/** Does what the palette has under these words. */
export async function command(page, words) {
  await page.keyboard.press('Control+k');
  await page.waitForSelector('dialog [role=option]');
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await gone(page, 'dialog');
}

/** Opens a small window by the name of its button, and chooses in it. */
export async function choose(page, button, words) {
  await page.click(`button[title="${button}"]`);
  await page.click(`:popover-open button:has-text("${words}")`);
}
