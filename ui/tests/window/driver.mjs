/** The few WebDriver calls that the window tests need. */
import { writeFile } from 'node:fs/promises';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** The longest that a condition may take: far more than a busy computer needs, so that no result depends on its speed. */
const TIMEOUT_S = 120;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a condition holds, and returns its value. An error counts as not yet. */
export async function waitFor(what, condition, seconds = TIMEOUT_S) {
  const end = Date.now() + seconds * 1000;
  let lastError;
  while (Date.now() < end) {
    try {
      const answer = await condition();
      if (answer) return answer;
    } catch (error) {
      lastError = error;
    }
    await sleep(50);
  }
  throw new Error(`timed out after ${seconds} s waiting for ${what}${lastError ? ` (${lastError.message})` : ''}`);
}

let nClicks = 0;

export class Browser {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Opens a session once the driver listens. */
  static async connect(base, capabilities) {
    // tauri-driver may answer before WebKitWebDriver listens.
    const created = await waitFor('a WebDriver session', () =>
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
  execute(script, ...args) {
    return call(this.#session, 'POST', '/execute/sync', { script, args });
  }

  async find(css) {
    return (await call(this.#session, 'POST', '/element', { using: 'css selector', value: css }))[ELEMENT];
  }

  async click(css) {
    const element = await waitFor(css, () => this.find(css));
    await call(this.#session, 'POST', `/element/${element}/click`, {});
  }

  /** Clicks the first visible element that starts with a text: once, even where an answer is lost and the script runs again. */
  clickText(css, text) {
    const click = (nClicks += 1);
    return waitFor(`${css} “${text}”`, () =>
      this.execute(
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
    const element = await waitFor(css, () => this.find(css));
    await call(this.#session, 'POST', `/element/${element}/value`, { text });
  }

  text(css) {
    return this.execute('return document.querySelector(arguments[0])?.textContent?.trim() ?? ""', css);
  }

  count(css) {
    return this.execute('return document.querySelectorAll(arguments[0]).length', css);
  }

  /** Waits for an element that contains a text. */
  waitForText(css, text = '', seconds = TIMEOUT_S) {
    return waitFor(
      `${css} with “${text}”`,
      () => this.execute('return [...document.querySelectorAll(arguments[0])].some((e) => e.textContent.includes(arguments[1]))', css, text),
      seconds,
    );
  }

  /** Saves what is drawn now. The web view gives its last frame, which may be older than the page. */
  async screenshot(path) {
    const drawn = 'new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(null))))';
    await this.execute(`return Promise.race([${drawn}, new Promise((r) => setTimeout(r, 5000))])`);
    // The frame takes a moment from the page to the web view's own surface, and nothing reports its arrival.
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
    // Before the driver listens, a refused connection is expected.
    if (path !== '/session') console.error(`${method} ${path}: ${error.message}: ${error.cause?.message}`);
    throw error;
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value?.message ?? response.status}`);
  return value;
}
