/** An engine that dies, a page that dies, and a page that wants more than it may. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import { ask, enginePid, pictures, processesOf, shots, startStudio, working } from '../studio.mjs';

export default {
  async 'an engine that dies fails its job in words, and the next one runs'(b) {
    const before = pictures().length;
    // A small model would be done before it can be killed at its work.
    const engine = enginePid();
    process.kill(engine, 'SIGSTOP');
    await ask(b, 'Edit', 'Something long');
    await working(b, 'Reading');
    process.kill(engine, 'SIGKILL');
    await b.see('.card[role=alert]', 'Your pictures are safe');
    await b.screenshot(join(shots, '14-failure.png'));
    await b.see('.dot.ready', '', 120);
    await b.clickText('.card[role=alert] button', 'Try again');
    await until('the picture, tried again', () => pictures().length === before + 1, 120);
  },

  async 'the page comes back when its process dies'(b, studio) {
    const isPage = (words) => words[0].endsWith('WebKitWebProcess');
    // Without the driver, which ends what it drives together with its page.
    await studio.close();
    await until('its page to be gone', () => processesOf(isPage).length === 0);
    const program = startStudio();
    const [page] = await until('the page', () => ((found) => found.length > 0 && found)(processesOf(isPage)));
    await sleep(1500);
    process.kill(page, 'SIGKILL');
    await until('another page', () => processesOf(isPage).some((pid) => pid !== page));
    await sleep(1000);
    assert.equal(program.exitCode, null, 'the program goes on');
    await studio.close();
    await studio.reopen();
  },

  async 'the page reaches nothing but the program'(b) {
    const refused = await b.run(`
      const { invoke } = window.__TAURI_INTERNALS__;
      const tried = [
        ...['plugin:window|close', 'plugin:fs|read_file', 'plugin:shell|execute', 'plugin:event|listen', 'no_such']
          .map((command) => [command, invoke(command, {})]),
        ['fetch', fetch('https://example.org/')],
        ['fetch a file', fetch('file:///etc/passwd')],
      ];
      return Promise.all(tried.map(([name, attempt]) => attempt.then(() => name + ' was allowed', () => null)))
        .then((results) => results.filter(Boolean));`);
    assert.deepEqual(refused, []);
    const address = await b.run('return location.href');
    await b.run(`window.open('https://example.org/'); location.href = 'https://example.org/';`);
    await sleep(500);
    assert.equal(await b.run('return location.href'), address);
    const inline = await b.run(`
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      document.head.append(script);
      return window.wasRun === undefined;`);
    assert.ok(inline, 'an inline script does not run');
    for (const path of ['picture/../../library.db', 'picture/x', 'thumbnail/%2e%2e%2f', 'preview/', 'nothing/else', 'picture/C:%5Cx']) {
      const size = await b.run(
        `return new Promise((resolve) => { const image = new Image(); image.onload = () => resolve(image.width); image.onerror = () => resolve(0); image.src = 'image://localhost/' + arguments[0]; })`,
        path,
      );
      assert.equal(size, 0, path);
    }
  },

  async 'no command takes what is not an id'(b) {
    const strange = ['', '.', '..', '../..', '/etc/passwd', 'C:\\\\x', '\\\\\\\\host\\\\share', '%2e%2e', 'CON', 'a\\u0000b', '${jndi:x}', "' OR 1=1 --"];
    const commands = { piece: 'piece', recipe: 'node', steps: 'node', replay: 'node', verify: 'node', copy_picture: 'node', reveal_picture: 'node' };
    const taken = await b.run(
      `const [commands, strange] = arguments;
       const { invoke } = window.__TAURI_INTERNALS__;
       const tries = Object.entries(commands).flatMap(([command, name]) => strange.map((id) => [command, id, invoke(command, { [name]: id })]));
       return Promise.all(tries.map(([command, id, attempt]) => attempt.then(() => command + ' took ' + id, () => null))).then((all) => all.filter(Boolean));`,
      commands,
      strange,
    );
    assert.deepEqual(taken, []);
  },
};
