/** A host method that no test calls is a feature that no test checks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callsFolder, expect, test } from './fixtures';

test('every method of the host is called by a test', ({}, info) => {
  const folder = callsFolder(info);
  const records: { called: string[]; methods: string[] }[] = readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const methods = new Set(records.flatMap((record) => record.methods));
  const called = new Set(records.flatMap((record) => record.called));
  expect(methods.size).toBeGreaterThan(0);
  expect([...methods].filter((name) => !called.has(name))).toEqual([]);
});
