/** The pixels of a picture of the studio's own: PNG with 8 bits a channel, as its engine's pictures are saved. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { root } from './studio.mjs';

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** Gives width, height, channels and the bytes row by row. */
export function readPng(path) {
  const file = readFileSync(path);
  if (file.toString('latin1', 1, 4) !== 'PNG') throw new Error(`${path} is no PNG`);
  const parts = [];
  let header;
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const kind = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (kind === 'IHDR') header = { width: body.readUInt32BE(0), height: body.readUInt32BE(4), depth: body[8], kind: body[9], interlace: body[12] };
    if (kind === 'IDAT') parts.push(body);
    at += length + 12;
  }
  const { width, height, depth, kind, interlace } = header;
  const channels = CHANNELS[kind];
  if (depth !== 8 || interlace !== 0 || channels === undefined) throw new Error(`${path} is not of a kind that the studio writes`);
  return { width, height, channels, bytes: unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels) };
}

/** Adds to every byte what its row's filter took away (PNG specification, 9.2). */
function unfilter(filtered, stride, height, channels) {
  const bytes = Buffer.alloc(stride * height);
  const predict = [() => 0, (a) => a, (_, b) => b, (a, b) => (a + b) >> 1, paeth];
  for (let y = 0; y < height; y += 1) {
    const guess = predict[filtered[y * (stride + 1)]];
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x >= channels ? bytes[at - channels] : 0;
      const up = y > 0 ? bytes[at - stride] : 0;
      const corner = x >= channels && y > 0 ? bytes[at - stride - channels] : 0;
      bytes[at] = filtered[y * (stride + 1) + 1 + x] + guess(left, up, corner);
    }
  }
  return bytes;
}

function paeth(a, b, c) {
  const [da, db, dc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (da <= db && da <= dc) return a;
  return db <= dc ? b : c;
}

/** The colour of the pocket model's world that a picture's margin has, where the background is seen. */
export function background(path) {
  const { width, height, channels, bytes } = readPng(path);
  const { colours } = JSON.parse(readFileSync(join(root, 'assets/pocket/world.json'), 'utf8'));
  const votes = new Map();
  const margin = Math.ceil(Math.min(width, height) / 24);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (x >= margin && x < width - margin && y >= margin && y < height - margin) continue;
      const pixel = bytes.subarray((y * width + x) * channels, (y * width + x) * channels + 3);
      const far = ({ rgb }) => rgb.reduce((sum, value, i) => sum + (value - pixel[i]) ** 2, 0);
      const { name } = colours.reduce((best, colour) => (far(colour) < far(best) ? colour : best));
      votes.set(name, (votes.get(name) ?? 0) + 1);
    }
  }
  return [...votes].sort(([, a], [, b]) => b - a)[0][0];
}
