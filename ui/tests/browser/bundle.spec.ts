/** Size of the built window. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures';

const folder = join(import.meta.dirname, '../../dist/assets');

/** Compressed bytes of the files with this extension, except the fake host, which the app never loads. */
const compressedBytes = (extension: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(extension) && !name.startsWith('fake'))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);

test('script and style stay small', () => {
  const [script, style] = [compressedBytes('.js'), compressedBytes('.css')];
  console.log(`  script ${(script / 1000).toFixed(1)} kB, style ${(style / 1000).toFixed(1)} kB, compressed`);
  expect(script).toBeLessThanOrEqual(150_000);
  expect(style).toBeLessThanOrEqual(20_000);
});
