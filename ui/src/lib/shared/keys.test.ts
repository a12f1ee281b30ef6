import { expect, test, vi } from 'vitest';

const press = (key: string, ...held: ('Control' | 'Alt' | 'Shift' | 'Meta' | 'AltGraph')[]) => ({
  key,
  ctrlKey: held.includes('Control'),
  altKey: held.includes('Alt'),
  shiftKey: held.includes('Shift'),
  metaKey: held.includes('Meta'),
  getModifierState: (name: string) => held.some((one) => one === name),
});

/** Loads the module as on a system with this user agent. */
async function on(userAgent: string) {
  vi.resetModules();
  vi.stubGlobal('navigator', { userAgent });
  return import('./keys');
}

test('a character typed with AltGr is its own key, and Ctrl+Alt stays a shortcut if nothing is printed', async () => {
  const { isUnmodified, keysOf } = await on('Windows NT 10.0');
  const check = (event: ReturnType<typeof press>, keys: string, bare: boolean) =>
    expect([keysOf(event), isUnmodified(event)]).toEqual([keys, bare]);
  check(press('\\', 'Control', 'Alt', 'AltGraph'), '\\', true);
  check(press('\\', 'AltGraph'), '\\', true);
  check(press('\\'), '\\', true);
  check(press('\\', 'Control', 'Alt'), 'mod+alt+\\', false);
  check(press('k', 'Control', 'Alt', 'AltGraph'), 'mod+alt+k', false);
  check(press('K', 'Control', 'Shift'), 'mod+shift+k', false);
  check(press('?', 'Shift'), '?', true);
});

test('on a Mac, Option prints characters and Command is the modifier', async () => {
  const { isUnmodified, keysOf } = await on('Mac OS X 10_15');
  expect([keysOf(press('\\', 'Alt')), isUnmodified(press('\\', 'Alt'))]).toEqual(['\\', true]);
  expect(keysOf(press('\\', 'Meta', 'Alt'))).toBe('mod+\\');
  expect(isUnmodified(press('\\', 'Meta', 'Alt'))).toBe(false);
  expect(keysOf(press('å', 'Alt'))).toBe('alt+å');
  expect(keysOf(press(',', 'Meta'))).toBe('mod+,');
});
