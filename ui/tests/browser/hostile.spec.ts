/** Hostile texts in every place that shows text stay text. */
import { expect, test } from './fixtures';
import { removeFocus, waitForFrame } from './page';
import { payloads } from './payloads';

/** Reads the traces that an executed payload would leave. */
function findDamage() {
  const made = [...document.querySelectorAll('script:not([src]), iframe, object, embed, base, marquee, video, audio, math, meta[http-equiv]')];
  const handlers = [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some((a) => a.name.startsWith('on')));
  const styled = [...document.querySelectorAll('body style, link[href*="example"]')];
  return {
    pwned: window.__pwned !== undefined,
    made: [...made, ...handlers, ...styled].map((element) => element.outerHTML.slice(0, 100)),
  };
}

/** All readable text of the page, including labels and values. */
function readable() {
  const parts = [document.title];
  for (const element of document.querySelectorAll('*')) {
    for (const name of ['aria-label', 'title', 'alt', 'placeholder', 'value']) parts.push(element.getAttribute(name) ?? '');
    if ('value' in element && typeof element.value === 'string') parts.push(element.value);
    for (const child of element.childNodes) if (child.nodeType === Node.TEXT_NODE) parts.push(child.nodeValue);
  }
  return parts.join('\n');
}

const plain = (text) => text.replaceAll(/<\/?think>/g, '').replaceAll(/\s+/g, ' ').trim();

test.describe('hostile', () => {
  test('the check for hostile texts detects one that takes effect', async ({ open, problems }) => {
    const page = await open('images=0');
    // Leaves out payloads that navigate away from the page.
    const staying = payloads.filter((text) => !/<(meta|base|link|form|title|style)/.test(text));
    await page.evaluate((texts) => {
      for (const text of texts) document.body.append(document.createRange().createContextualFragment(text));
    }, staying);
    const { made } = await page.evaluate(findDamage);
    expect(made.length, 'inserted elements are found').toBeGreaterThanOrEqual(10);
    await expect.poll(() => problems.some((problem) => problem.startsWith('policy violation')), 'the policy blocks and reports it').toBe(true);
    expect(await page.evaluate(() => window.__pwned), 'the policy alone keeps code from running').toBe(undefined);
    // No further expected violations can arrive after this.
    await page.context().close();
    problems.length = 0;
  });

  test('hostile texts stay text in every place', async ({ open }) => {
    expect(payloads.length).toBeGreaterThanOrEqual(120);
    const seen = new Set();
    const look = async (page, where) => {
      const { pwned, made } = await page.evaluate(findDamage);
      expect(pwned, `code ran: ${where}`).toBe(false);
      expect(made, where).toEqual([]);
      const text = plain(await page.evaluate(readable));
      for (const payload of payloads) {
        const found = plain(payload).replaceAll('\u0000', '');
        if (text.includes(found) || text.includes(found.replaceAll('\uD800', '\uFFFD'))) seen.add(payload);
      }
    };
    // Each round shifts the texts, so that each place gets different ones.
    for (let turn = 0; turn < 4; turn += 1) {
      const shift = turn * 31;
      const words = [...payloads.slice(shift), ...payloads.slice(0, shift)];
      const page = await open('images=160&jobs&engine=full', { words });
      await look(page, 'studio');
      for (const tab of ['plan', 'recipe', 'parameters', 'chat']) {
        await page.click(`[data-tab=${tab}]`);
        await expect(page.locator('[role=tabpanel]')).toHaveAttribute('aria-labelledby', `tab-${tab}`);
        await look(page, tab);
      }
      await page.click('[data-row] >> nth=-3');
      await look(page, 'a failed job');
      await page.keyboard.press('q');
      await look(page, 'queue');
      await page.keyboard.press('Escape');
      await removeFocus(page);
      await page.click('header .chip >> nth=0');
      await look(page, 'engine');
      await page.keyboard.press('Escape');
      await page.click('[data-row] >> nth=0');
      await removeFocus(page);
      await page.keyboard.press('t');
      await expect(page.locator('dialog')).toBeVisible();
      await look(page, 'tags');
      await page.keyboard.press('Escape');
      await expect(page.locator('dialog')).toHaveCount(0);
      await page.keyboard.press('Control+k');
      await expect(page.locator('dialog')).toBeVisible();
      await look(page, 'palette');
      await page.keyboard.press('Escape');
      await expect(page.locator('dialog')).toHaveCount(0);
      await page.keyboard.press('g');
      await expect(page.locator('[role=gridcell][data-position]').first()).toBeVisible();
      for (const share of [0, 0.35, 0.7, 1]) {
        await page.evaluate((at) => {
          const scroller = document.querySelector('.scroller');
          scroller.scrollTop = scroller.scrollHeight * at;
        }, share);
        await expect(page.locator('[role=gridcell][data-position]').filter({ visible: true })).not.toHaveCount(0);
        await waitForFrame(page);
        await look(page, 'gallery');
      }
      await page.keyboard.press('m');
      await look(page, 'models');
      await page.keyboard.press('Control+,');
      await expect(page.locator('.settings details')).toBeVisible();
      await look(page, 'settings');
      await page.context().close();
    }
    const missing = payloads.filter((payload) => !seen.has(payload));
    expect(missing.map((payload) => payload.slice(0, 60)), 'no text is left unshown').toEqual([]);
  });

  test('hostile texts are streamed, typed and sent as events without harm', async ({ open }) => {
    const page = await open('jobs');
    const job = await page.evaluate(() => globalThis.hostDriver.running());
    await page.click('[data-row]:has-text("warm light")');
    await page.click('[data-tab=plan]');
    for (const payload of payloads) {
      await page.evaluate(
        ({ running, text }) => {
          const { send } = globalThis.hostDriver;
          send({ kind: 'plan_changed', job: running, plan: text });
          send({ kind: 'text', job: running, channel: 'plan', delta: text });
          send({ kind: 'text', job: running, channel: 'answer', delta: text });
          send({ kind: 'notice', failure: { code: 'internal', message: text } });
        },
        { running: job, text: payload },
      );
      await page.fill('.composer textarea', payload.replaceAll('\uD800', ''));
      const { pwned, made } = await page.evaluate(findDamage);
      expect(pwned, payload).toBe(false);
      expect(made, payload).toEqual([]);
    }
  });
});
