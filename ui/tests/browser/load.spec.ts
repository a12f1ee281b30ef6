/** Performance with large data. Elements and memory are asserted; times are only printed. */
import { expect, test } from './fixtures';
import { waitForFrame } from './page';

const MAX_NODES = 400;
const MAX_HEAP_BYTES = 400e6;
/** With motion, as most users have it. */
const context = { reducedMotion: 'no-preference' } as const;

const watchLongTasks = () => {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map((entry) => entry.duration))).observe({
    type: 'longtask',
    buffered: true,
  });
};

/** The number of gallery images in view. */
const countSeen = () =>
  [...document.querySelectorAll('[role=gridcell][data-position]')].filter((cell) => {
    const { top, bottom } = cell.getBoundingClientRect();
    return bottom > 200 && top < innerHeight;
  }).length;

const figures = (values) =>
  values.length === 0 ? 'none' : `${String(values.length)}, the longest ${Math.max(...values).toFixed(0)} ms`;

test.describe('load', () => {
  test('ten thousand images scroll with a few hundred elements', async ({ open }) => {
    const page = await open('images=10000', { context, init: watchLongTasks });
    await waitForFrame(page);
    await page.evaluate(() => (globalThis.longTasks.length = 0));
    const first = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const began = performance.now();
          dispatchEvent(new KeyboardEvent('keydown', { key: 'g', bubbles: true }));
          const look = () => {
            if (document.querySelector('[role=gridcell] img')) requestAnimationFrame(() => resolve(performance.now() - began));
            else requestAnimationFrame(look);
          };
          look();
        }),
    );
    await expect.poll(async () => Number(await page.getAttribute('[role=grid]', 'aria-rowcount'))).toBeGreaterThan(2000);
    const filling = await page.evaluate(() => globalThis.longTasks.splice(0));
    let most = 0;
    for (const share of [0.1, 0.25, 0.5, 0.75, 0.98, 0.4]) {
      await page.evaluate((at) => {
        const scroller = document.querySelector('.scroller');
        scroller.scrollTop = scroller.scrollHeight * at;
      }, share);
      await expect.poll(() => page.evaluate(countSeen), `images drawn at ${String(share)}`).toBeGreaterThanOrEqual(8);
      most = Math.max(most, await page.locator('[role=grid] *').count());
    }
    const frames = await page.evaluate(
      () =>
        new Promise<number[]>((resolve) => {
          const scroller = document.querySelector('.scroller');
          const times = [];
          let last = performance.now();
          const step = (now) => {
            times.push(now - last);
            last = now;
            scroller.scrollTop += 60;
            if (times.length < 90) requestAnimationFrame(step);
            else resolve(times.slice(5));
          };
          requestAnimationFrame(step);
        }),
    );
    const scrolling = await page.evaluate(() => globalThis.longTasks);
    const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
    frames.sort((a, b) => a - b);
    console.log(
      `  10,000 images: first rows ${first.toFixed(0)} ms, at most ${String(most)} elements, ` +
        `frames median ${(frames[frames.length >> 1] ?? 0).toFixed(1)} ms, slowest ${(frames.at(-1) ?? 0).toFixed(0)} ms, heap ${(heap / 1e6).toFixed(0)} MB`,
    );
    console.log(`  long tasks while filling: ${figures(filling)}; while scrolling: ${figures(scrolling)}`);
    expect(heap > 0 && heap <= MAX_HEAP_BYTES, `${String(heap)} bytes of heap`).toBe(true);
    expect(most, `${String(most)} elements in the grid`).toBeLessThanOrEqual(MAX_NODES);
  });

  test('a history of five hundred and a queue of a thousand stay usable', async ({ open }) => {
    const page = await open('images=3', { context, init: watchLongTasks });
    await page.evaluate(() => {
      const { send } = globalThis.hostDriver;
      const parameters = { size: null, steps: 9, text_guidance: 4, image_guidance: 1.5, guidance_interval: [0.4, 1], renorm: 'global', renorm_min: 0, shift: 3, seed: 1, sample_posterior: false, feature_cache: false };
      const project = 'project-00001';
      const node = (index) => ({
        id: `n${String(index)}`, project, parent: index === 0 ? 'node-00002' : `n${String(index % 5 === 0 ? index >> 1 : index - 1)}`, references: [], origin: 'edit',
        prompt: `Change ${String(index)}`, name: null, size: { width: 64, height: 64 }, seed: 1, plan: null, has_recipe: true, model: 'pocket', starred: false, tags: [], trashed_ms: null, took_ms: 1, created_ms: 1,
      });
      const job = (index) => ({
        id: `j${String(index)}`, project: 'elsewhere', kind: 'edit', prompt: `Waiting ${String(index)}`, image: null, references: [], thinking: { kind: 'off' },
        pauses_after_plan: false, parameters, verifies: null, status: { state: 'queued' }, plan: '', answer: '', preview: null, expected_secs: null, created_ms: 1,
      });
      for (let index = 0; index < 500; index += 1) send({ kind: 'node_added', node: node(index) as any });
      send(...Array.from({ length: 1000 }, (_, index) => ({ kind: 'job_queued', job: job(index) }) as any));
    });
    await expect.poll(() => page.locator('[data-row]').count()).toBeGreaterThanOrEqual(500);
    await page.evaluate(() => globalThis.longTasks.splice(0));
    await page.click('[data-row] >> nth=300');
    await expect(page.locator('[aria-current=true]')).toHaveText(/Change/);
    await page.keyboard.press('q');
    await expect(page.locator('.queue li').first()).toBeVisible();
    const opened = await page.evaluate(() => globalThis.longTasks.splice(0));
    while ((await page.locator('.queue button:has-text("more")').count()) > 0) await page.click('.queue button:has-text("more")');
    await page.locator('.queue li').nth(999).scrollIntoViewIfNeeded();
    const all = await page.evaluate(() => globalThis.longTasks);
    console.log(`  500 nodes and 1,000 jobs, long tasks: ${figures(opened)}; with every job shown: ${figures(all)}`);
  });

  test('typing stays fast while text and previews stream', async ({ open }) => {
    const page = await open('jobs', {
      context,
      init: () => {
        globalThis.longTasks = [];
        globalThis.inputs = [];
        new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
        new PerformanceObserver((list) => globalThis.inputs.push(...list.getEntries().filter((entry) => entry.name === 'keydown').map((entry) => entry.duration))).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
      },
    });
    await page.click('[data-row]:has-text("warm light")');
    const job = await page.evaluate(() => globalThis.hostDriver.running());
    await page.evaluate((running) => {
      const { send, step } = globalThis.hostDriver;
      let n = 0;
      globalThis.stream = setInterval(() => {
        n += 1;
        send({ kind: 'text', job: running, channel: 'plan', delta: 'and one more word ' });
        if (n % 5 === 0) {
          send(
            { kind: 'job_changed', job: running, status: { state: 'running', phase: { name: 'painting', step: n % 24, steps: 24 } } },
            { kind: 'preview', job: running, preview: step(n) },
          );
        }
      }, 50);
    }, job);
    await page.locator('.composer textarea').focus();
    const words = 'make the light in the windows warmer and add a second boat beyond the pier ';
    await page.keyboard.type(words.repeat(2), { delay: 25 });
    const { inputs, longTasks } = await page.evaluate(() => {
      clearInterval(globalThis.stream);
      return { inputs: globalThis.inputs, longTasks: globalThis.longTasks };
    });
    await expect(page.locator('.composer textarea'), 'every letter arrives').toHaveValue(words.repeat(2));
    inputs.sort((a, b) => a - b);
    console.log(
      `  while 20 words and 4 steps a second stream: ${String(words.length * 2)} letters, input to paint over 16 ms for ${String(inputs.length)}, ` +
        `median of these ${(inputs[inputs.length >> 1] ?? 0).toFixed(0)} ms, slowest ${(inputs.at(-1) ?? 0).toFixed(0)} ms; long tasks: ${figures(longTasks)}`,
    );
    expect(await page.evaluate(() => document.activeElement?.matches('.composer textarea')), 'the focus stays in the prompt').toBe(true);
  });
});
