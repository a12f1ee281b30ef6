/** Texts of the gallery, and of actions on images. */

export const images = {
  star: 'Star',
  unstar: 'Unstar',
  rename: 'Rename Image',
  rename_project: 'Rename Project',
  reveal: 'Show in File Manager',
  export_project: 'Export Project',
  exported: (name: string) => `Exported as ${name}`,
  copied: 'Copied',
  known: 'This image is already in the library.',
  in_trash: 'This image is in the trash.',
  deleted: 'This image no longer exists.',
  trashed: (n: number) => (n === 1 ? 'Moved to the trash' : `${String(n)} images moved to the trash`),
  undo: 'Undo',
  formats: {
    png: 'PNG with recipe',
    png_plain: 'PNG without recipe',
    jpeg: 'JPEG',
    webp: 'WebP',
  },
};

export const tags = {
  title: (n: number) => (n === 1 ? 'Tags' : `Tags of ${String(n)} images`),
  add: 'Add tag',
  hint: 'Press Enter to add a tag. Press Enter in the empty field to save.',
  known: 'Used before',
  add_known: (tag: string) => `Add tag ${tag}`,
  remove: (tag: string) => `Remove tag ${tag}`,
};

export const gallery = {
  title: 'Images',
  search: 'Search images',
  search_hint: 'Search prompts, answers, plans, tags…',
  starred: 'Starred',
  tags: 'Tags',
  trash: 'Trash',
  file: 'Import',
  import_project: 'Import Project',
  origins: { imported: 'Imported', generate: 'Generated', edit: 'Edited' },
  found: (n: number) => (n === 1 ? '1 image' : `${n.toLocaleString('en')} images`),
  reset: 'Clear Filters',
  empty: 'No images yet',
  empty_hint: 'Images that you generate or open appear here.',
  unread: 'The images could not be loaded',
  unread_hint: 'Your files have not changed. The notification shows what went wrong.',
  nothing_found: 'No results',
  nothing_found_hint: 'No image matches all filters. Try fewer words.',
  trash_empty: 'The trash is empty',
  trash_empty_hint: 'Deleted images stay here for 30 days.',
  trash_hint: 'Deleted permanently after 30 days.',
  empty_trash: 'Empty Trash',
  empty_trash_text: (n: number) =>
    n === 1
      ? '1 image will be deleted permanently. This cannot be undone.'
      : `${String(n)} images will be deleted permanently. This cannot be undone.`,
  selection: 'Selected images',
  selected: (n: number) => `${String(n)} selected`,
  open: 'Open on Canvas',
  as_reference: 'Use as Reference',
  star: 'Star',
  tag: 'Tags',
  trash_these: 'Delete',
  restore: 'Restore',
  clear: 'Clear Selection',
};
