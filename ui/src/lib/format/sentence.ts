/** A line of the program as a sentence: its first letter large, a full stop at its end. */
export function sentence(line: string): string {
  const trimmed = line.trim();
  if (trimmed === '') return '';
  const [first = ''] = trimmed;
  // The beginning of a path or a file's name stays as it is.
  const [word = ''] = trimmed.split(/\s/);
  const start = /[/\\.:]/.test(word) ? first : first.toLocaleUpperCase();
  return start + trimmed.slice(first.length) + (/[.!?。！？…]$/.test(trimmed) ? '' : '.');
}
