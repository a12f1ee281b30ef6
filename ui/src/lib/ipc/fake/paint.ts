/** Images of the fake host: a harbor whose colors depend on the prompt. */
import type { Size } from '../protocol';

/** A data URL; `noise` from 0 to 1 covers the image as in early steps. */
export function painted(words: string, size: Size, noise = 0): string {
  const seed = hash(words);
  // Evening colors, from blue through violet to orange.
  const hue = (205 + (seed % 170)) % 360;
  const night = seed % 3 === 0;
  const { width: w, height: h } = size;
  const sea = h * 0.68;
  const parts = [
    `<linearGradient id="s" x2="0" y2="1"><stop stop-color="${sky(hue, night ? 22 : 34)}"/><stop offset=".55" stop-color="${sky(hue + 50, night ? 34 : 52)}"/><stop offset=".68" stop-color="${sky(hue + 70, night ? 52 : 76)}"/></linearGradient>`,
    `<linearGradient id="w" x2="0" y2="1"><stop stop-color="${sky(hue + 70, night ? 36 : 55)}"/><stop offset="1" stop-color="${sky(hue, 22)}"/></linearGradient>`,
  ];
  const shapes = [
    `<path fill="url(#s)" d="M0 0h${n(w)}v${n(h)}H0z"/>`,
    `<circle cx="${n(w * (0.2 + (seed % 60) / 100))}" cy="${n(h * 0.26)}" r="${n(Math.min(w, h) * 0.05)}" fill="#fff3d6" opacity=".9"/>`,
    hills(w, sea, seed, `hsl(${n(hue)} 34% 30%)`, 0.34),
    hills(w, sea, seed >>> 4, `hsl(${n(hue)} 38% 20%)`, 0.22),
    `<path fill="url(#w)" d="M0 ${n(sea)}h${n(w)}v${n(h - sea)}H0z"/>`,
    boat(w * (0.3 + ((seed >>> 3) % 40) / 100), sea + h * 0.1, Math.min(w, h) * 0.16, `hsl(${n((seed >>> 5) % 60)} 62% 52%)`),
  ];
  if (noise > 0) shapes.push(grain(w, h, seed, noise));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${n(w)}" height="${n(h)}" viewBox="0 0 ${n(w)} ${n(h)}"><defs>${parts.join('')}</defs>${shapes.join('')}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export function hash(words: string): number {
  let value = 2166136261;
  for (const letter of words) value = Math.imul(value ^ (letter.codePointAt(0) ?? 0), 16777619) >>> 0;
  return value;
}

const n = (value: number) => String(Math.round(value));
const sky = (hue: number, light: number) => `hsl(${n(hue % 360)} 46% ${n(light)}%)`;

function hills(w: number, base: number, seed: number, fill: string, height: number): string {
  const points = [0, 0.18, 0.36, 0.55, 0.74, 1].map((x, index) => {
    const rise = index % 2 === 0 ? 0.25 : 0.6 + ((seed >>> index) % 5) / 10;
    return `L${n(x * w)} ${n(base * (1 - height * rise))}`;
  });
  return `<path fill="${fill}" d="M0 ${n(base)}${points.join('')}L${n(w)} ${n(base)}z"/>`;
}

/** A mosaic that stands for an early step. */
function grain(w: number, h: number, seed: number, noise: number): string {
  const across = 16;
  const side = w / across;
  let value = seed | 1;
  let cells = '';
  for (let y = 0; y * side < h; y += 1) {
    for (let x = 0; x < across; x += 1) {
      value = Math.imul(value, 1664525) + 1013904223;
      cells += `<path fill="hsl(${n((value >>> 8) % 360)} 30% ${n(30 + ((value >>> 20) % 40))}%)" d="M${n(x * side)} ${n(y * side)}h${n(side + 1)}v${n(side + 1)}h-${n(side + 1)}z"/>`;
    }
  }
  return `<g opacity="${noise.toFixed(2)}">${cells}</g>`;
}

function boat(x: number, y: number, s: number, sail: string): string {
  return [
    `<path fill="#1c1a33" d="M${n(x - s * 0.8)} ${n(y)}h${n(s * 1.6)}l${n(-s * 0.3)} ${n(s * 0.3)}h${n(-s)}z"/>`,
    `<path fill="${sail}" d="M${n(x)} ${n(y - s * 1.3)}v${n(s * 1.2)}h${n(-s * 0.55)}z"/>`,
    `<path fill="${sail}" opacity=".8" d="M${n(x + s * 0.08)} ${n(y - s * 1.2)}v${n(s * 1.1)}h${n(s * 0.6)}z"/>`,
  ].join('');
}
