/** The parts of a clipboard that decide what is pasted. */
interface Clipboard {
  files: Iterable<File>;
  getData: (format: string) => string;
}

/**
 * The picture that is pasted, if it is one. Where words are written and the clipboard has words as well,
 * as of a table's cells, they are meant; the path of a copied file, which file managers send along, is not.
 */
export function pictureIn(clipboard: Clipboard, isTyping: boolean): File | undefined {
  const picture = [...clipboard.files].find((file) => file.type.startsWith('image/'));
  const words = clipboard.getData('text/plain').trim();
  const isPath = picture !== undefined && words.endsWith(`/${picture.name}`);
  return isTyping && words !== '' && !isPath ? undefined : picture;
}
