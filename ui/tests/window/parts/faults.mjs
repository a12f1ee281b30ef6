/** An engine that dies, a page that dies, and a page that wants more than it may. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../driver.mjs';
import { ask, data, enginePid, library, pictures, processesOf, root, shots, startStudio, working } from '../studio.mjs';

export default {
  async 'an engine that dies fails its job in words, and the next one runs'(b) {
    const before = pictures().length;
    // The pocket model would be done before it can be killed at its work.
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

  async 'no command takes what is not an id, and no text is more than words'(b) {
    const strange = JSON.parse(readFileSync(join(root, 'src-tauri/tests/strange.json'), 'utf8'));
    const files = () => readdirSync(data, { recursive: true }).filter((name) => !/(-wal|-shm|\.log|WebKit|\/cache\/|^cache|^share)/.test(name)).sort();
    const before = files();
    // Each makes the arguments of a command out of one strange text.
    const commands = `
      const one = (name) => (text) => ({ [name]: text });
      const filter = { text: '', tags: [], starred: false, origin: null, place: 'library' };
      const commands = {
        piece: one('piece'), export_piece: one('piece'), rename_piece: (piece) => ({ piece, name: 'x' }),
        nodes: (text) => ({ nodes: [text] }), recipe: one('node'), steps: one('node'),
        replay: one('node'), verify: one('node'), copy_picture: one('node'), reveal_picture: one('node'),
        drag_out: (text) => ({ nodes: [text] }),
        rename_node: (node) => ({ node, name: 'x' }), set_tags: (text) => ({ nodes: [text], tags: [] }),
        set_starred: (text) => ({ nodes: [text], starred: true }), trash: (text) => ({ nodes: [text] }),
        restore: (text) => ({ nodes: [text] }), leave_out: (text) => ({ turns: [text], leftOut: true }), export_pictures: (text) => ({ nodes: [text], format: 'png' }),
        cancel: one('job'), retry: one('job'), keep: one('job'), pause_plan: one('job'),
        paint_plan: (job) => ({ job, thought: 'x' }), move_job: (job) => ({ job, place: { kind: 'first' } }),
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
