/** Steps and queries that tests share. */
import { expect, type Page } from '@playwright/test';

/** The arguments of each call of a host method, in order. */
export const readCalls = (page: Page, method: string): Promise<any[]> =>
  page.evaluate((wanted) => globalThis.hostDriver.calls.filter((call) => call.name === wanted).map((call) => call.values), method);

/** Sends events to the window as the host does. */
export const sendEvents = (page: Page, ...events: any[]) => page.evaluate((all) => globalThis.hostDriver.send(...all), events);

/** Pauses or resumes running jobs, so that a test can check a passing state. */
export const suspendJobs = (page: Page, isSuspended = true) => page.evaluate((value) => globalThis.hostDriver.suspend(value), isSuspended);

export const readClipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

/** Waits until one of the elements contains the text. */
export const expectText = (page: Page, selector: string, text: string) =>
  expect(page.locator(selector).filter({ hasText: text }), `“${text}” in ${selector}`).not.toHaveCount(0);

/** Waits until no job is running or queued. */
export const waitForIdle = (page: Page) => expect(page.locator('.progress')).toHaveCount(0);

/** Waits for the nth call of a method, checks that it is the last, and returns its arguments. */
export async function waitForCall(page: Page, method: string, n = 1): Promise<any[]> {
  await expect.poll(async () => (await readCalls(page, method)).length, `calls of ${method}`).toBeGreaterThanOrEqual(n);
  const calls = await readCalls(page, method);
  expect(calls, `calls of ${method}`).toHaveLength(n);
  return calls[n - 1];
}

/** Removes the focus from a text field, so that single-letter shortcuts work. */
export const removeFocus = (page: Page) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

/** Waits for the next two frames, so that scroll events and effects have run. */
export const waitForFrame = (page: Page) =>
  page.evaluate(() => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));

/** Presses Tab until the focus is on an element that matches the selector and text. */
export async function tabTo(page: Page, selector: string, text = '', maxPresses = 120) {
  for (let n = 0; n < maxPresses; n += 1) {
    if ((await page.locator(selector).and(page.locator(':focus')).filter({ hasText: text }).count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${selector} ${text}`);
}

/** Runs an action from the command palette. */
export async function runCommand(page: Page, words: string) {
  await page.keyboard.press('Control+k');
  await expect(page.locator('dialog [role=option]').first()).toBeVisible();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await expect(page.locator('dialog')).toHaveCount(0);
}

/** Opens a menu by its button's title and chooses an entry. */
export async function chooseFromMenu(page: Page, button: string, entry: string) {
  await page.click(`button[title="${button}"]`);
  await page.click(`:popover-open button:has-text("${entry}")`);
}
