/** Where the program shows an image. What is no id has no address, and nothing is asked for. */
export function address(origin: string, kind: 'image' | 'thumbnail' | 'preview', id: string): string {
  return /^[\w-]{1,64}$/.test(id) ? `${origin}${kind}/${id}` : '';
}
