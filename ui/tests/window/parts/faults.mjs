/** An engine that dies, a page that dies, and a page that wants more than it may. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import {
  ask, data, enginePid, holdWhilePainting, key, library, images, press, processesOf, root, sees, shots, startStudio, steps, windowId, wishClosed,
  working, xdotool,
} from '../studio.mjs';

export default {
  async 'an engine that dies fails its job in words, and the next one runs'(b) {
    const before = images().length;
    await steps(b, 60);
    await ask(b, 'Edit', 'Something long');
    process.kill(await holdWhilePainting(b), 'SIGKILL');
    await b.see('.card[role=alert]', 'Your images are safe');
    await b.screenshot(join(shots, '14-failure.png'));
    await b.see('.dot.ready', '', 120);
    await b.clickText('.card[role=alert] button', 'Retry');
    await until('the image, tried again', () => images().length === before + 1, 120);
    await steps(b, 12);
  },

  async 'a wish to close in the middle of work is asked about, and who stays has lost nothing'(b) {
    const before = images().length;
    const engine = enginePid();
    process.kill(engine, 'SIGSTOP');
    for (const words of ['Work to stay for', 'Work that waits']) await ask(b, 'Edit', words);
    await working(b, 'Reading');
    wishClosed();
    await b.see('dialog[open]', 'Close Bagel Studio?');
    await b.see('dialog[open]', '1 job is in the queue');
    await b.screenshot(join(shots, '16-close.png'));
    await b.clickText('dialog[open] button', 'Cancel');
    process.kill(engine, 'SIGCONT');
    await until('both images', () => images().length === before + 2, 120);
  },

  async 'the window closes at once when nothing runs, and opens where it was'(_, studio) {
    await studio.close();
    const program = startStudio();
    await until('the window', windowId);
    const geometry = () => xdotool('getwindowgeometry', '--shell', windowId()).replace(/^WINDOW=.*$/m, '');
    await sleep(2000);
    xdotool('windowsize', '--sync', windowId(), 1100, 700);
    xdotool('windowmove', '--sync', windowId(), 60, 40);
    await sleep(1000);
    const before = geometry();
    assert.match(before, /X=60\nY=40\nWIDTH=1100\nHEIGHT=700/);
    wishClosed();
    await until('the end', () => program.exitCode === 0, 20);
    startStudio();
    await until('the same place', () => geometry() === before, 30);
    await studio.close();
    await studio.reopen();
  },

  async 'a start waits for a program that is still closing'(b, studio) {
    await studio.close();
    const isPage = (words) => words[0].endsWith('WebKitWebProcess');
    await until('its page to be gone', () => processesOf(isPage).length === 0);
    const closing = spawn('flock', [join(library, 'library/lock'), 'sleep', '6']);
    await sleep(300);
    const program = startStudio();
    await sleep(4500);
    assert.deepEqual([program.exitCode, closing.exitCode], [null, null], 'it waits');
    await until('the window', () => processesOf(isPage).length > 0, 60);
    await studio.close();
    await studio.reopen();
  },

  async 'the page comes back when its process dies, and what ran and waited is painted'(b, studio) {
    const isPage = (words) => words[0].endsWith('WebKitWebProcess');
    const isEngine = (words) => words[1] === 'engine';
    await b.see('.dot.ready', '', 120);
    const before = images();
    // Without the driver, which ends what it drives together with its page.
    await studio.close();
    await until('its page to be gone', () => processesOf(isPage).length === 0);
    const program = startStudio();
    const [page] = await until('the page', () => ((found) => found.length > 0 && found)(processesOf(isPage)));
    const [engine] = await until('the engine', () => ((found) => found.length > 0 && found)(processesOf(isEngine)));
    await sleep(4000);
    process.kill(engine, 'SIGSTOP');
    const write = async (words) => {
      press('ctrl+n');
      await sleep(300);
      press('slash');
      await sleep(300);
      xdotool('type', '--delay', 20, words);
      // Nobody can look whether they stand there.
      await sleep(2000);
      press('ctrl+Return');
      await sleep(700);
    };
    const circle = (color) => `A large red circle in the center on a ${color} background`;
    for (const color of ['blue', 'green']) await write(circle(color));
    process.kill(page, 'SIGKILL');
    const [reborn] = await until('another page', () => ((found) => found.length > 0 && found)(processesOf(isPage).filter((pid) => pid !== page)));
    await sleep(2000);
    assert.equal(program.exitCode, null, 'the program goes on');
    assert.equal(images().length, before.length, 'one runs and one waits');
    process.kill(engine, 'SIGCONT');
    await until('both images', () => images().length === before.length + 2, 120);
    // The page that came back takes the next one.
    await write(circle('yellow'));
    await until('the third image', () => images().length === before.length + 3, 120);
    assert.deepEqual(processesOf(isPage), [reborn]);
    const painted = images().filter((path) => !before.includes(path)).map(sees);
    for (const ground of ['blue', 'green', 'yellow']) assert.ok(painted.some((shown) => shown.endsWith(`on ${ground}`)), painted.join('; '));
    await studio.close();
    b = await studio.reopen();
    await b.see('.dot.ready', '', 120);
    assert.equal(await b.count('.progress'), 0, 'nothing is left in the queue');
    await key(b, 'g');
    for (const ground of ['blue', 'green', 'yellow']) {
      await until(`the image on ${ground}`, () => b.count(`[role=gridcell][aria-label*="on a ${ground} background"]`));
    }
    await key(b, 'e');
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
    const windows = () => xdotool('search', '--onlyvisible', '--name', '.').split('\n').sort();
    const open = windows();
    const handle = await b.run(`return window.open('https://example.org/') === null && window.open('about:blank', '_blank', 'popup') === null`);
    await b.run(`location.href = 'https://example.org/';`);
    await sleep(500);
    assert.equal(await b.run('return location.href'), address);
    assert.deepEqual([handle, windows()], [true, open], 'no window opens beside it');
    const framed = await b.run(`
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
    const inline = await b.run(`
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      document.head.append(script);
      return window.wasRun === undefined;`);
    assert.ok(inline, 'an inline script does not run');
    for (const path of ['image/../../library.db', 'image/x', 'thumbnail/%2e%2e%2f', 'preview/', 'nothing/else', 'image/C:%5Cx']) {
      const size = await b.run(
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
        rename_node: (node) => ({ node, name: 'x' }), set_tags: (text) => ({ nodes: [text], tags: [] }),
        set_starred: (text) => ({ nodes: [text], starred: true }), trash: (text) => ({ nodes: [text] }),
        restore: (text) => ({ nodes: [text] }), leave_out: (text) => ({ turns: [text], leftOut: true }), export_images: (text) => ({ nodes: [text], format: 'png' }),
        cancel: one('job'), retry: one('job'), keep: one('job'), pause_plan: one('job'),
        paint_plan: (job) => ({ job, plan: 'x' }), move_job: (job) => ({ job, place: { kind: 'first' } }),
        gallery: (after) => ({ filter, after, limit: 1 }), install_model: (model) => ({ model, quantization: 'q8_0' }),
        remove_model: (model) => ({ model, quantization: null }), use_model: (model) => ({ choice: { model, quantization: 'q8_0' } }),
        import_model: one('kind'), choose_folder: one('folder'), reset_folder: one('folder'), change_settings: one('change'),
        submit: one('job'), price: one('job'), subscribe: one('channel'),
      };`;
    const taken = await b.run(
      `${commands}
       const [strange] = arguments;
       const tries = Object.entries(commands).flatMap(([name, make]) =>
         strange.map((text) => window.__TAURI_INTERNALS__.invoke(name, make(text)).then(() => name + ' took ' + text.slice(0, 60), () => null)));
       return Promise.all(tries).then((all) => all.filter(Boolean));`,
      // A well-formed id in another spelling names nothing either, but it is an id.
      strange.filter((text) => !/^[{]?(urn:uuid:)?[0f-]{32,36}[}]?$/.test(text)),
    );
    assert.deepEqual(taken, []);
    const kept = await b.run(
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
