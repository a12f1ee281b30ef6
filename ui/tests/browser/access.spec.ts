/** Accessibility of every view and state: axe, focus, target sizes, motion, small windows. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test, type Page } from './fixtures';
import { removeFocus, sendEvents, waitForFrame, waitForIdle } from './page';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Violations that axe finds in the page, one per line. */
async function findings(page: Page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  return page.evaluate(async () => {
    const result = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    });
    return result.violations.flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 140)} ${node.any[0]?.message ?? ''}`),
    );
  });
}

async function expectNone(page: Page, where: string) {
  const found = await findings(page);
  expect(found.slice(0, 6), where).toEqual([]);
}

export const places = {
  studio: async (page: Page) => {
    await page.keyboard.press('e');
    await expect(page.locator('.composer')).toBeVisible();
  },
  gallery: async (page) => {
    await page.keyboard.press('g');
    await expect(page.locator('[role=gridcell], .empty').first()).toBeVisible();
  },
  models: async (page: Page) => {
    await page.keyboard.press('m');
    await expect(page.locator('main.models article').first()).toBeVisible();
  },
  settings: async (page) => {
    await page.keyboard.press('Control+,');
    await expect(page.locator('.settings details')).toBeVisible();
  },
};

/** States of views, each with the steps that lead to it. */
const states: Record<string, [query: string, reach: (page: Page) => unknown]> = {
  welcome: ['images=0&welcome', () => {}],
  plan: ['', (page: Page) => page.click('[data-tab=plan]')],
  parameters: [
    '',
    async (page) => {
      await page.click('[data-tab=parameters]');
      await page.click('.parameters summary');
    },
  ],
  recipe: ['', (page: Page) => page.click('[data-tab=recipe]')],
  queue: ['jobs', (page: Page) => page.keyboard.press('q')],
  'held plan': [
    'jobs',
    async (page) => {
      await page.click('[data-row]:has-text("clear night")');
      await expect(page.locator('.plan textarea')).toBeVisible();
    },
  ],
  failure: ['jobs', (page: Page) => page.click('[data-row]:has-text("whole bay")')],
  'compare slider': ['', (page: Page) => page.keyboard.press('c')],
  'compare side by side': [
    '',
    async (page) => {
      await page.keyboard.press('c');
      await page.click('[aria-label="Side by Side"]');
    },
  ],
  keys: ['', (page: Page) => page.keyboard.press('?')],
  palette: ['', (page: Page) => page.keyboard.press('Control+k')],
  tags: ['', (page: Page) => page.keyboard.press('t')],
  repeat: [
    '',
    async (page) => {
      await page.click('[data-row]:has-text("Turn it into night")');
      await page.keyboard.press('Control+k');
      await page.keyboard.type('repeat branch');
      await page.keyboard.press('Enter');
      await expect(page.locator('dialog li button').first()).toBeVisible();
    },
  ],
  'a model named by hand': ['engine=named', (page: Page) => page.click('header .chip >> nth=0')],
  rename: ['', (page: Page) => page.click('[aria-label="Rename Project"]')],
  closing: ['', (page: Page) => sendEvents(page, { kind: 'close_asked' })],
  size: ['', (page: Page) => page.click('button[title="Size"]')],
  refusal: [
    '',
    async (page) => {
      await page.fill('.composer textarea', 'huge change');
      await expect(page.locator('.refusal')).toBeVisible();
    },
  ],
  selection: [
    'images=80',
    async (page) => {
      await page.keyboard.press('g');
      await page.click('[role=gridcell][data-position="2"]');
    },
  ],
  trash: [
    'images=80',
    async (page) => {
      await page.keyboard.press('g');
      await page.click('button:has-text("Trash")');
      await expect(page.locator('[role=gridcell][data-position]').first()).toBeVisible();
    },
  ],
  'engine failed': ['engine=failed', (page: Page) => page.click('header .chip >> nth=0')],
  'compare difference': [
    '',
    async (page) => {
      await page.keyboard.press('c');
      await page.click('[aria-label="Difference"]');
    },
  ],
  scrubbing: [
    '',
    async (page) => {
      await page.fill('.composer textarea', 'Warm light');
      await page.keyboard.press('Control+Enter');
      await expect(page.locator('[aria-current=true]:has-text("Warm light")')).toBeVisible();
      await waitForIdle(page);
      await removeFocus(page);
      await page.keyboard.press('w');
      await expect(page.locator('.scrub')).toBeVisible();
    },
  ],
  'a failed installation': [
    '',
    (page) => {
      const stage = { stage: 'failed', failure: { code: 'network', message: 'timed out' } };
      return sendEvents(page, { kind: 'install', model: 'bagel-nhr', install: { quantization: 'q5_k_m', removes_source: false, stage, bytes: 1e9, total_bytes: 2e9, bytes_per_sec: null } });
    },
  ],
  'an image without its file': [
    'images=20',
    async (page) => {
      const node = { id: 'gone', project: 'project-00001', parent: 'node-00006', references: [], origin: 'edit', prompt: 'Gone', name: null, size: { width: 512, height: 512 }, seed: null, plan: null, has_recipe: false, model: null, starred: false, tags: [], trashed_ms: null, took_ms: null, created_ms: 0 };
      await sendEvents(page, { kind: 'node_added', node });
      await page.click('[data-row]:has-text("Gone")');
      await expect(page.locator('.missing-image')).toBeVisible();
    },
  ],
  'a failure in Chinese': ['jobs&language=zh', (page: Page) => page.click('[data-row]:has-text("whole bay")')],
  'a notice': ['', (page: Page) => sendEvents(page, { kind: 'notice', failure: { code: 'disk_full', message: 'free 3 GB' } })],
};

/** The problem with the focused element, or null. */
function focusProblem() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const name = `${element.tagName.toLowerCase()}.${element.className} “${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}”`;
  const outlined = (candidate) => {
    if (!candidate) return false;
    const style = getComputedStyle(candidate);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || false;
  };
  const isShown =
    outlined(element) ||
    outlined(element.closest('label')) ||
    // The prompt field and the comparison slider show their focus on a parent.
    element.matches('.composer textarea') ||
    outlined(element.previousElementSibling) ||
    (element.previousElementSibling && getComputedStyle(element.previousElementSibling, '::after').outlineStyle !== 'none');
  if (!isShown) return `${name}: no visible focus`;
  const target = element.closest('label') ?? element;
  const box = target.getBoundingClientRect();
  if (box.width < 23.5 || box.height < 23.5) return `${name}: target ${box.width.toFixed(0)} × ${box.height.toFixed(0)}`;
  const points = [
    [box.left + box.width / 2, box.top + Math.min(box.height / 2, 20)],
    [box.left + 4, box.top + 4],
    [box.right - 4, box.bottom - 4],
  ];
  const isVisible = points.some(([x, y]) => {
    const top = document.elementFromPoint(x, y);
    return top !== null && (target.contains(top) || top.contains(target));
  });
  return isVisible ? null : `${name}: covered or out of sight`;
}

/** Presses Tab until the focus returns to the start, and lists the problems found. */
async function walk(page, most = 140) {
  const wrong = new Set();
  let n = 0;
  for (; n < most; n += 1) {
    await page.keyboard.press('Tab');
    const problem = await page.evaluate(focusProblem);
    if (problem) wrong.add(problem);
    if (n > 3 && (await page.evaluate(() => document.activeElement === document.body))) break;
  }
  return { wrong: [...wrong], n };
}

test.describe('access', () => {
  test.describe('axe finds nothing in any view, theme, language and size', () => {
    const all = [0, 10_000].flatMap((images) => ['dark', 'light'].flatMap((theme) => ['en', 'zh'].map((language) => ({ images, theme, language }))));
    all.push({ images: 40, theme: 'contrast', language: 'en' });
    for (const { images, theme, language } of all) {
      test(`${theme}, ${language}, ${String(images)} images`, async ({ open }) => {
        const page = await open(`images=${String(images)}&theme=${theme}&language=${language}`);
        for (const [place, go] of Object.entries(places)) {
          await go(page);
          await waitForFrame(page);
          await expectNone(page, place);
        }
      });
    }
  });

  test.describe('axe finds nothing in any state', () => {
    for (const [index, [name, [query, reach]]] of Object.entries(states).entries()) {
      const theme = ['dark', 'light', 'contrast'][index % 3];
      test(`${name}, ${theme}`, async ({ open }) => {
        const page = await open(`theme=${theme}&${query}`);
        await reach(page);
        await waitForFrame(page);
        await expectNone(page, name);
      });
    }
  });

  test('Tab reaches every control, with a visible focus and a large enough target', async ({ open }) => {
    for (const [place, go] of Object.entries(places)) {
      const page = await open('jobs&engine=full');
      await go(page);
      await waitForFrame(page);
      const { wrong, n } = await walk(page);
      expect(wrong.slice(0, 8), place).toEqual([]);
      expect(n, `${place}: only ${String(n)} stops`).toBeGreaterThan(8);
      await page.context().close();
    }
  });

  test('at 400 % zoom everything is reachable without scrolling sideways', async ({ open }) => {
    const context = { viewport: { width: 320, height: 256 } };
    for (const query of ['images=0&welcome', 'jobs&engine=full', 'images=200&language=zh']) {
      const page = await open(query, { context });
      for (const [place, go] of Object.entries(places)) {
        await go(page);
        await waitForFrame(page);
        const wide = await page.evaluate(() => {
          const out = [...document.querySelectorAll('body *')].filter((element) => {
            const box = element.getBoundingClientRect();
            if (box.width === 0 || box.right <= innerWidth + 1) return false;
            // Images on the canvas can be panned, and truncated text has a tooltip.
            return !element.closest('.canvas, [popover]:not(:popover-open), .sr-only, datalist');
          });
          return { scroll: document.documentElement.scrollWidth, out: out.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)) };
        });
        expect(wide.out, `${place}, ${query}`).toEqual([]);
        expect(wide.scroll, `${place}, ${query}: ${String(wide.scroll)} px wide`).toBeLessThanOrEqual(320);
      }
      await page.keyboard.press('e');
      await page.locator('.composer button[type=submit]').scrollIntoViewIfNeeded();
      expect(await page.locator('.composer button[type=submit]').isVisible()).toBe(true);
      await page.context().close();
    }
  });

  test('nothing overflows at any width between a small and a large window', async ({ open }) => {
    for (const [width, language] of [
      [700, 'en'],
      [920, 'zh'],
      [1000, 'en'],
      [1200, 'zh'],
    ] as const) {
      const page = await open(`engine=full&images=40&language=${language}`, { context: { viewport: { width, height: 700 } } });
      for (const [place, go] of Object.entries(places)) {
        await go(page);
        await waitForFrame(page);
        const over = await page.evaluate(() =>
          ['header', '.composer', '.toolbar', 'aside', 'article', '.settings section', '.filters'].flatMap((selector) =>
            [...document.querySelectorAll(selector)].flatMap((container) => {
              const right = container.getBoundingClientRect().right + 1;
              return [...container.querySelectorAll('button, label, input, select, p, h2')]
                .filter((element) => element.getBoundingClientRect().right > right && !element.closest('[popover], .sr-only'))
                .map((element) => `${selector}: ${element.outerHTML.slice(0, 90)}`);
            }),
          ),
        );
        expect(over.slice(0, 4), `${place}, ${String(width)} px, ${language}`).toEqual([]);
      }
      await page.context().close();
    }
  });

  test('nothing moves when reduced motion is set', async ({ open }) => {
    const page = await open('jobs&engine=loading', { context: { reducedMotion: 'reduce' } });
    await page.click('[data-row]:has-text("gulls")');
    await waitForFrame(page);
    await sendEvents(page, { kind: 'notice', failure: { code: 'network', message: 'x' } });
    await waitForFrame(page);
    const moving = await page.evaluate(() =>
      document
        .getAnimations()
        .filter((animation) => animation.playState === 'running' && Number(animation.effect.getComputedTiming().duration) > 1)
        .map((animation) => 'animationName' in animation ? animation.animationName : animation.id),
    );
    expect(moving).toEqual([]);
  });
});
