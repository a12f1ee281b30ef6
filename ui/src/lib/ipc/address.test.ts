import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { address } from './address';

/** The texts that the host's own commands are tested with. */
const strange = JSON.parse(readFileSync('../src-tauri/tests/strange.json', 'utf8')) as string[];
const origins = ['image://localhost/', 'http://image.localhost/'];

test('an id has an address', () => {
  const id = '01930b6e-7a5c-7d2e-8f3a-1b2c3d4e5f60';
  expect(address('image://localhost/', 'image', id)).toBe(`image://localhost/image/${id}`);
});

test('no text leads outside the image addresses', () => {
  expect(strange.length).toBeGreaterThanOrEqual(120);
  for (const text of strange) {
    for (const origin of origins) {
      for (const kind of ['image', 'thumbnail', 'preview'] as const) {
        const made = address(origin, kind, text);
        if (made === '') continue;
        const { pathname, search, hash, href } = new URL(made);
        expect([href, search, hash], JSON.stringify(text)).toEqual([made, '', '']);
        expect(pathname.split('/'), JSON.stringify(text)).toEqual(['', kind, text]);
      }
    }
  }
  // Most of them are not ids and get no address.
  expect(strange.filter((text) => address('image://localhost/', 'image', text) === '').length).toBeGreaterThan(100);
});
