import type { Size } from '$lib/ipc';
import { SIDE_MULTIPLE } from '$lib/ipc/protocol';

/** Shapes for a new image, as width over height. */
export const shapes = [
  { id: 'square', ratio: 1 },
  { id: 'landscape', ratio: 4 / 3 },
  { id: 'portrait', ratio: 3 / 4 },
  { id: 'wide', ratio: 16 / 9 },
  { id: 'tall', ratio: 9 / 16 },
] as const;

export type ShapeId = (typeof shapes)[number]['id'];

/** The largest size of a shape within a longest side, in whole patches. */
export function sizeForShape(shape: ShapeId, maxSide: number): Size {
  const ratio = shapes.find((s) => s.id === shape)?.ratio ?? 1;
  const longest = Math.max(SIDE_MULTIPLE, Math.floor(maxSide / SIDE_MULTIPLE) * SIDE_MULTIPLE);
  const other = (value: number) => Math.max(SIDE_MULTIPLE, Math.round(value / SIDE_MULTIPLE) * SIDE_MULTIPLE);
  return ratio >= 1 ? { width: longest, height: other(longest / ratio) } : { width: other(longest * ratio), height: longest };
}

/** The nearest size that a model can generate. */
export function roundSize(size: Size, maxSide: number): Size {
  const longest = Math.max(SIDE_MULTIPLE, Math.floor(maxSide / SIDE_MULTIPLE) * SIDE_MULTIPLE);
  const side = (value: number) =>
    Number.isFinite(value) ? Math.min(longest, Math.max(SIDE_MULTIPLE, Math.round(value / SIDE_MULTIPLE) * SIDE_MULTIPLE)) : longest;
  return { width: side(size.width), height: side(size.height) };
}

/** The size generated for an image that sets the size: same shape, limited to the model's longest side. */
export function fitSize(size: Size, maxSide: number): Size {
  const scale = Math.min(1, maxSide / Math.max(size.width, size.height));
  return roundSize({ width: size.width * scale, height: size.height * scale }, maxSide);
}

/**
 * How a parent image fits the frame of its child: it fills the frame where the two differ
 * by no more than rounding to whole patches, and is contained in it otherwise.
 */
export function chooseFit(image: Size, frame: Size): 'fill' | 'contain' {
  const scales = (whole: number, side: number) => [(whole - SIDE_MULTIPLE / 2) / side, (whole + SIDE_MULTIPLE / 2) / side] as const;
  const [least, most] = scales(frame.width, image.width);
  const [low, high] = scales(frame.height, image.height);
  const isEqual = frame.width === image.width && frame.height === image.height;
  // The shapes agree if one scale yields both sides.
  return isEqual || Math.max(least, low) < Math.min(most, high) ? 'fill' : 'contain';
}

export function formatSize(size: Size): string {
  return `${String(size.width)} × ${String(size.height)}`;
}
