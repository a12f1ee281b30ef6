/** The little of WebDriver that the window's tests need. */
import { writeFile } from 'node:fs/promises';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is neither empty nor an error; fails with what was waited for. */
export async function until(what, ask, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`waited ${seconds} s for ${what}${last ? ` (${last.message})` : ''}`);
}

let nClicks = 0;

export class Browser {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Opens a session once the driver listens. */
  static async open(base, capabilities) {
    // The outer driver may answer before the inner one listens.
    const created = await until('a WebDriver session', () =>
      call(base, 'POST', '/session', { capabilities: { alwaysMatch: capabilities } }),
    );
    return new Browser(`${base}/session/${created.sessionId}`);
  }

  go(url) {
    return call(this.#session, 'POST', '/url', { url });
  }

  resize(width, height) {
    return call(this.#session, 'POST', '/window/rect', { width, height });
  }

  /** Runs a function body in the page; arguments are `arguments[0]` and so on. */
  run(script, ...args) {
    return call(this.#session, 'POST', '/execute/sync', { script, args });
  }

  async find(css) {
    return (await call(this.#session, 'POST', '/element', { using: 'css selector', value: css }))[ELEMENT];
  }

  async click(css) {
    const element = await until(css, () => this.find(css), 20);
    await call(this.#session, 'POST', `/element/${element}/click`, {});
  }

  /** Clicks the first element of that kind that shows a text: once, even where the answer is lost and it is asked again. */
  clickText(css, text) {
    const click = (nClicks += 1);
    return until(`${css} “${text}”`, () =>
      this.run(
        `if (window.lastClick === arguments[2]) return true;
         const e = [...document.querySelectorAll(arguments[0])].find((e) => e.textContent.trim().startsWith(arguments[1]) && e.offsetParent);
         if (e) { window.lastClick = arguments[2]; e.click(); }
         return Boolean(e);`,
        css,
        text,
        click,
      ),
    );
  }

  /** Types as a person would, key by key. */
  async type(css, text) {
    const element = await until(css, () => this.find(css), 20);
    await call(this.#session, 'POST', `/element/${element}/value`, { text });
  }

  text(css) {
    return this.run('return document.querySelector(arguments[0])?.textContent?.trim() ?? ""', css);
  }

  count(css) {
    return this.run('return document.querySelectorAll(arguments[0]).length', css);
  }

  /** Waits for an element that holds a text. */
  see(css, text = '', seconds = 60) {
    return until(
      `${css} with “${text}”`,
      () => this.run('return [...document.querySelectorAll(arguments[0])].some((e) => e.textContent.includes(arguments[1]))', css, text),
      seconds,
    );
  }

  /** What is drawn now: the web view hands out its last frame, which may be an old one. */
  async screenshot(path) {
    const drawn = 'new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(null))))';
    await this.run(`return Promise.race([${drawn}, new Promise((r) => setTimeout(r, 5000))])`);
    await sleep(200);
    await writeFile(path, Buffer.from(await call(this.#session, 'GET', '/screenshot'), 'base64'));
  }

  close() {
    return call(this.#session, 'DELETE', '');
  }
}

async function call(base, method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
  }).catch((error) => {
    // Before the driver listens it answers nothing, which is no news.
    if (path !== '/session') console.error(`${method} ${path}: ${error.message}: ${error.cause?.message}`);
    throw error;
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value?.message ?? response.status}`);
  return value;
}
