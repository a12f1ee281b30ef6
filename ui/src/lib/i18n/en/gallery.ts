/** Texts of the gallery, and of what can be done with pictures. */

export const pictures = {
  star: 'Give a star',
  unstar: 'Take the star away',
  rename: 'Rename the picture',
  rename_piece: 'Rename the piece',
  reveal: 'Show in the file manager',
  export_piece: 'Save the whole piece as one file',
  exported: (name: string) => `Saved as ${name}`,
  copied: 'Copied',
  known: 'This picture was in the library already.',
  trashed: (n: number) => (n === 1 ? 'Moved to the trash' : `${String(n)} pictures moved to the trash`),
  undo: 'Undo',
  formats: {
    png: 'PNG with its recipe',
    png_plain: 'PNG, the picture alone',
    jpeg: 'JPEG',
    webp: 'WebP',
  },
};

export const tags = {
  title: (n: number) => (n === 1 ? 'Tags' : `Tags of ${String(n)} pictures`),
  add: 'Add a tag',
  hint: 'Enter adds it. Enter on an empty line saves.',
  known: 'In use elsewhere',
  add_known: (tag: string) => `Add the tag ${tag}`,
  remove: (tag: string) => `Remove the tag ${tag}`,
};

export const gallery = {
  title: 'Pictures',
  search: 'Search pictures',
  search_hint: 'Search instructions, answers, plans, tags…',
  starred: 'Starred',
  tags: 'Tags',
  trash: 'Trash',
  file: 'Import',
  import_piece: 'Open a saved piece',
  origins: { imported: 'Opened', created: 'Created', edited: 'Edited' },
  found: (n: number) => (n === 1 ? '1 picture' : `${n.toLocaleString('en')} pictures`),
  reset: 'Show everything',
  empty: 'No pictures yet',
  empty_hint: 'Everything you paint or open is kept here.',
  nothing_found: 'Nothing found',
  nothing_found_hint: 'No picture has all of this. Try fewer words.',
  trash_empty: 'The trash is empty',
  trash_empty_hint: 'What you delete stays here for 30 days.',
  trash_hint: 'Deleted for good after 30 days.',
  empty_trash: 'Empty the trash',
  empty_trash_text: (n: number) =>
    n === 1 ? 'One picture will be deleted for good. This cannot be undone.' : `${String(n)} pictures will be deleted for good. This cannot be undone.`,
  selection: 'Chosen pictures',
  selected: (n: number) => `${String(n)} chosen`,
  open: 'Open in the studio',
  as_reference: 'Use as references',
  star: 'Star',
  tag: 'Tags',
  trash_these: 'Delete',
  restore: 'Restore',
  clear: 'Choose none',
};
