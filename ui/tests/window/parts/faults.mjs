/** An engine that dies, a page that dies, and a page that wants more than it may. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, waitFor } from '../driver.mjs';
import {
  submitPrompt, data, findEngine, suspendWhileDenoising, pressKey, library, listImages, pressOnDisplay, findProcesses, root, describeImage, screenshots, startStudio, setSteps, findWindow, requestClose,
  waitForProgress, xdotool,
} from '../studio.mjs';

export default {
  async 'an engine that dies fails its job in words, and the next one runs'(b) {
    const before = listImages().length;
    await setSteps(b, 60);
    await submitPrompt(b, 'Edit', 'Something long');
    process.kill(await suspendWhileDenoising(b), 'SIGKILL');
    await b.waitForText('.failure[role=alert]', 'Your images are safe');
    await b.screenshot(join(screenshots, '14-failure.png'));
    await b.waitForText('.dot.ready');
    await b.clickText('.failure[role=alert] button', 'Retry');
    await waitFor('the image, tried again', () => listImages().length === before + 1);
    await setSteps(b, 12);
  },

  async 'a wish to close in the middle of work is asked about, and who stays has lost nothing'(b) {
    const before = listImages().length;
    const engine = findEngine();
    process.kill(engine, 'SIGSTOP');
    for (const words of ['Work to stay for', 'Work that waits']) await submitPrompt(b, 'Edit', words);
    await waitForProgress(b, 'Reading');
    requestClose();
    await b.waitForText('dialog[open]', 'Close Bagel Studio?');
    await b.waitForText('dialog[open]', '1 job is in the queue');
    await b.screenshot(join(screenshots, '16-close.png'));
    await b.clickText('dialog[open] button', 'Cancel');
    process.kill(engine, 'SIGCONT');
    await waitFor('both images', () => listImages().length === before + 2);
  },

  async 'the window closes at once when nothing runs, and opens where it was'(_, studio) {
    await studio.close();
    const program = startStudio();
    await waitFor('the window', findWindow);
    const geometry = () => xdotool('getwindowgeometry', '--shell', findWindow()).replace(/^WINDOW=.*$/m, '');
    await sleep(2000);
    xdotool('windowsize', '--sync', findWindow(), 1100, 700);
    xdotool('windowmove', '--sync', findWindow(), 60, 40);
    await waitFor('the new place', () => /X=60\nY=40\nWIDTH=1100\nHEIGHT=700/.test(geometry()));
    const before = geometry();
    requestClose();
    await waitFor('the end', () => program.exitCode === 0);
    startStudio();
    await waitFor('the same place', () => geometry() === before);
    await studio.close();
    await studio.reopen();
  },

  async 'a start waits for a program that is still closing'(b, studio) {
    await studio.close();
    const isPage = (words) => words[0].endsWith('WebKitWebProcess');
    await waitFor('its page to be gone', () => findProcesses(isPage).length === 0);
    const lock = join(library, 'library/lock');
    const closing = spawn('flock', [lock, 'sleep', '6']);
    await waitFor('the lock to be taken', () => spawnSync('flock', ['--nonblock', lock, 'true']).status === 1);
    const program = startStudio();
    await sleep(4500);
    assert.deepEqual([program.exitCode, closing.exitCode], [null, null], 'it waits');
    await waitFor('the window', () => findProcesses(isPage).length > 0);
    await studio.close();
    await studio.reopen();
  },

  async 'the page comes back when its process dies, and what ran and waited is painted'(b, studio) {
    const isPage = (words) => words[0].endsWith('WebKitWebProcess');
    const isEngine = (words) => words[1] === 'engine';
    await b.waitForText('.dot.ready');
    const before = listImages();
    // Without the driver, which ends what it drives together with its page.
    await studio.close();
    await waitFor('its page to be gone', () => findProcesses(isPage).length === 0);
    const program = startStudio();
    const [page] = await waitFor('the page', () => ((found) => found.length > 0 && found)(findProcesses(isPage)));
    const [engine] = await waitFor('the engine', () => ((found) => found.length > 0 && found)(findProcesses(isEngine)));
    await sleep(4000);
    process.kill(engine, 'SIGSTOP');
    const write = async (words) => {
      pressOnDisplay('ctrl+n');
      await sleep(300);
      pressOnDisplay('slash');
      await sleep(300);
      xdotool('type', '--delay', 20, words);
      // Without the driver, the page cannot be inspected.
      await sleep(2000);
      pressOnDisplay('ctrl+Return');
      await sleep(700);
    };
    const circle = (color) => `A large red circle in the centre on a ${color} background`;
    for (const color of ['blue', 'green']) await write(circle(color));
    process.kill(page, 'SIGKILL');
    const [reborn] = await waitFor('another page', () => ((found) => found.length > 0 && found)(findProcesses(isPage).filter((pid) => pid !== page)));
    await sleep(2000);
    assert.equal(program.exitCode, null, 'the program goes on');
    assert.equal(listImages().length, before.length, 'one runs and one waits');
    process.kill(engine, 'SIGCONT');
    await waitFor('both images', () => listImages().length === before.length + 2);
    // The reloaded page accepts the next one.
    await write(circle('yellow'));
    await waitFor('the third image', () => listImages().length === before.length + 3);
    assert.deepEqual(findProcesses(isPage), [reborn]);
    const painted = listImages().filter((path) => !before.includes(path)).map(describeImage);
    for (const ground of ['blue', 'green', 'yellow']) assert.ok(painted.some((shown) => shown.endsWith(`on ${ground}`)), painted.join('; '));
    await studio.close();
    b = await studio.reopen();
    await b.waitForText('.dot.ready');
    assert.equal(await b.count('.progress'), 0, 'nothing is left in the queue');
    await pressKey(b, 'g');
    for (const ground of ['blue', 'green', 'yellow']) {
      await waitFor(`the image on ${ground}`, () => b.count(`[role=gridcell][aria-label*="on a ${ground} background"]`));
    }
    await pressKey(b, 'e');
  },

  async 'the page reaches nothing but the program'(b) {
    const refused = await b.execute(`
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
    const address = await b.execute('return location.href');
    const windows = () => xdotool('search', '--onlyvisible', '--name', '.').split('\n').sort();
    const open = windows();
    const handle = await b.execute(`return window.open('https://example.org/') === null && window.open('about:blank', '_blank', 'popup') === null`);
    await b.execute(`location.href = 'https://example.org/';`);
    await sleep(500);
    assert.equal(await b.execute('return location.href'), address);
    assert.deepEqual([handle, windows()], [true, open], 'no window opens beside it');
    const framed = await b.execute(`
      const refused = [];
      document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
      const frames = [['src', 'https://example.org/'], ['src', 'tauri://localhost/index.html'], ['src', 'data:text/html,<p>x'],
        ['srcdoc', '<script>parent.wasRun = true</' + 'script>']].map(([kind, value]) => {
        const frame = document.createElement('iframe');
        frame[kind] = value;
        document.body.append(frame);
        return frame;
      });
      return new Promise((resolve) => setTimeout(resolve, 1500)).then(() => {
        const seen = frames.slice(0, 3).filter((frame) => (frame.contentDocument?.body?.childElementCount ?? 0) > 0).length;
        frames.forEach((frame) => frame.remove());
        return { refused: refused.filter((directive) => directive === 'frame-src').length, seen, wasRun: window.wasRun ?? null };
      });`);
    assert.deepEqual(framed, { refused: 3, seen: 0, wasRun: null }, 'no page opens within the page');
    const inline = await b.execute(`
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      document.head.append(script);
      return window.wasRun === undefined;`);
    assert.ok(inline, 'an inline script does not run');
    for (const path of ['image/../../library.db', 'image/x', 'thumbnail/%2e%2e%2f', 'preview/', 'nothing/else', 'image/C:%5Cx']) {
      const size = await b.execute(
        `return new Promise((resolve) => { const parameters = new Image(); parameters.onload = () => resolve(parameters.width); parameters.onerror = () => resolve(0); parameters.src = 'image://localhost/' + arguments[0]; })`,
        path,
      );
      assert.equal(size, 0, path);
    }
  },

  async 'no command takes what is not an id, and no text is more than words'(b) {
    const strange = JSON.parse(readFileSync(join(root, 'src-tauri/tests/strange.json'), 'utf8'));
    const files = () => readdirSync(data, { recursive: true }).filter((name) => !/(-wal|-shm|\.log|WebKit|\/cache\/|^cache|^share)/.test(name)).sort();
    const before = files();
    // Each makes the arguments of a command out of one strange text.
    const commands = `
      const one = (name) => (text) => ({ [name]: text });
      const filter = { text: '', tags: [], starred: false, origin: null, place: 'library' };
      const commands = {
        project: one('project'), export_project: one('project'), rename_project: (project) => ({ project, name: 'x' }),
        nodes: (text) => ({ nodes: [text] }), recipe: one('node'), steps: one('node'),
        replay: one('node'), verify: one('node'), copy_image: one('node'), reveal_image: one('node'),
        drag_out: (text) => ({ nodes: [text] }),
        rename_node: (node) => ({ node, name: 'x' }), change_tags: (text) => ({ nodes: [text], added: [], removed: [] }),
        set_starred: (text) => ({ nodes: [text], starred: true }), trash: (text) => ({ nodes: [text] }),
        restore: (text) => ({ nodes: [text] }), leave_out: (text) => ({ turns: [text], leftOut: true }), export_images: (text) => ({ nodes: [text], format: 'png' }),
        cancel: one('job'), retry: one('job'), keep: one('job'), pause_plan: one('job'),
        paint_plan: (job) => ({ job, plan: 'x' }), move_job: (job) => ({ job, place: { kind: 'first' } }),
        gallery: (after) => ({ filter, after, limit: 1 }), install_model: (model) => ({ model, quantization: 'q8_0' }),
        remove_model: (model) => ({ model, quantization: null }), use_model: (model) => ({ choice: { model, quantization: 'q8_0' } }),
        import_model: one('kind'), choose_folder: one('folder'), reset_folder: one('folder'), change_settings: one('change'),
        submit: one('job'), estimate: one('job'), subscribe: one('channel'),
      };`;
    const taken = await b.execute(
      `${commands}
       const [strange] = arguments;
       const tries = Object.entries(commands).flatMap(([name, make]) =>
         strange.map((text) => window.__TAURI_INTERNALS__.invoke(name, make(text)).then(() => name + ' took ' + text.slice(0, 60), () => null)));
       return Promise.all(tries).then((all) => all.filter(Boolean));`,
      // A well-formed id in another spelling names nothing either, but it is an id.
      strange.filter((text) => !/^[{]?(urn:uuid:)?[0f-]{32,36}[}]?$/.test(text)),
    );
    assert.deepEqual(taken, []);
    const kept = await b.execute(
      `const [strange] = arguments;
       const { invoke } = window.__TAURI_INTERNALS__;
       const filter = { text: '', tags: [], starred: false, origin: null, place: 'library' };
       const run = async () => {
         const { nodes: [node] } = await invoke('gallery', { filter, after: null, limit: 1 });
         const changed = [];
         for (const text of strange) {
           await invoke('gallery', { filter: { ...filter, text }, after: null, limit: 1 });
           const before = (await invoke('nodes', { nodes: [node.id] }))[0].name;
           const refused = await invoke('rename_node', { node: node.id, name: text }).then(() => null, (failure) => failure.code ?? 'without a reason');
           const [{ name }] = await invoke('nodes', { nodes: [node.id] });
           if (refused !== null) {
             if (refused === 'without a reason' || name !== before) changed.push([text.slice(0, 60), refused]);
             continue;
           }
           // Cut and without what does not show, but never anything else.
           if (name !== null && ![...name].every((letter) => letter === ' ' || text.normalize('NFC').includes(letter) || text.includes(letter))) changed.push([text.slice(0, 60), name.slice(0, 60)]);
         }
         await invoke('rename_node', { node: node.id, name: node.name ?? '' });
         return changed;
       };
       return run();`,
      strange,
    );
    assert.deepEqual(kept, []);
    assert.deepEqual(files(), before, 'no file came or went');
  },
};
