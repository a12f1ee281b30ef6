import { Channel, convertFileSrc, invoke } from '@tauri-apps/api/core';
import type { Host } from './host';
import type { StudioEvent } from './protocol';

/** The real program. */
export function tauriHost(): Host {
  const image = (kind: string, id: string) => `${convertFileSrc('', 'image')}${kind}/${id}`;
  return {
    subscribe(listener) {
      const channel = new Channel<StudioEvent[]>();
      channel.onmessage = listener;
      return invoke('subscribe', { channel });
    },
    submit: (job) => invoke('submit', { job }),
    price: (job) => invoke('price', { job }),
    cancel: (job) => invoke('cancel', { job }),
    cancelAll: () => invoke('cancel_all'),
    dismiss: (job) => invoke('dismiss', { job }),
    retry: (job) => invoke('retry', { job }),
    keep: (job) => invoke('keep', { job }),
    moveJob: (job, place) => invoke('move_job', { job, place }),
    pauseQueue: (isPaused) => invoke('pause_queue', { isPaused }),
    pausePlan: (job) => invoke('pause_plan', { job }),
    paintPlan: (job, thought) => invoke('paint_plan', { job, thought }),
    piece: (piece) => invoke('piece', { piece }),
    nodes: (nodes) => invoke('nodes', { nodes }),
    gallery: (filter, after, limit) => invoke('gallery', { filter, after, limit }),
    recipe: (node) => invoke('recipe', { node }),
    steps: (node) => invoke('steps', { node }),
    renamePiece: (piece, name) => invoke('rename_piece', { piece, name }),
    renameNode: (node, name) => invoke('rename_node', { node, name }),
    setTags: (nodes, tags) => invoke('set_tags', { nodes, tags }),
    setStarred: (nodes, starred) => invoke('set_starred', { nodes, starred }),
    trash: (nodes) => invoke('trash', { nodes }),
    restore: (nodes) => invoke('restore', { nodes }),
    emptyTrash: () => invoke('empty_trash'),
    replay: (node) => invoke('replay', { node }),
    verify: (node) => invoke('verify', { node }),
    openPictures: () => invoke('open_pictures'),
    pastePicture: (bytes) => invoke('paste_picture', bytes),
    copyPicture: (node) => invoke('copy_picture', { node }),
    exportPictures: (nodes, format) => invoke('export_pictures', { nodes, format }),
    exportPiece: (piece) => invoke('export_piece', { piece }),
    openPiece: () => invoke('open_piece'),
    revealPicture: (node) => invoke('reveal_picture', { node }),
    hardware: () => invoke('hardware'),
    tryHardware: () => invoke('try_hardware'),
    installModel: (model, quantization) => invoke('install_model', { model, quantization }),
    pauseInstall: (model) => invoke('pause_install', { model }),
    cancelInstall: (model) => invoke('cancel_install', { model }),
    removeModel: (model, quantization) => invoke('remove_model', { model, quantization }),
    importModel: (kind) => invoke('import_model', { kind }),
    useModel: (choice) => invoke('use_model', { choice }),
    retryEngine: () => invoke('retry_engine'),
    changeSettings: (change) => invoke('change_settings', { change }),
    chooseFolder: (folder) => invoke('choose_folder', { folder }),
    chooseEngine: () => invoke('choose_engine'),
    setToken: (token) => invoke('set_token', { token }),
    diagnostics: () => invoke('diagnostics'),
    about: () => invoke('about'),
    close: () => invoke('close'),
    pictureUrl: (node) => image('picture', node),
    thumbnailUrl: (node) => image('thumbnail', node),
    previewUrl: (preview) => image('preview', preview),
  };
}
