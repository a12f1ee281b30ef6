/** The host's address of an image; empty for an invalid id, so that nothing is requested. */
export function address(origin: string, kind: 'image' | 'thumbnail' | 'preview', id: string): string {
  return /^[\w-]{1,64}$/.test(id) ? `${origin}${kind}/${id}` : '';
}
