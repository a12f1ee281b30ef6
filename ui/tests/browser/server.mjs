/** The built window on a local port, under the policy that the program gives it. */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../dist');
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

/** The content security policy of the program, as its configuration says it. */
function policy() {
  const configuration = resolve(import.meta.dirname, '../../../src-tauri/tauri.conf.json');
  const csp = JSON.parse(readFileSync(configuration, 'utf8')).app.security.csp;
  return Object.entries(csp)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}

export async function serve() {
  if (!existsSync(join(root, 'index.html'))) throw new Error('ui/dist is missing: run `npm run build` first');
  const csp = policy();
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = join(root, path === '/' ? 'index.html' : path);
    if (!file.startsWith(root) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': csp,
      'x-content-type-options': 'nosniff',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  return { address: `http://127.0.0.1:${String(port)}`, close: () => server.close(), root };
}
