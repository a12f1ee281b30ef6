import { Channel, convertFileSrc, invoke } from '@tauri-apps/api/core';
import { address } from './address';
import type { Ability, Host } from './host';
import type { StudioEvent } from './protocol';

/** The Tauri app. */
export function tauriHost(): Host {
  const origin = convertFileSrc('', 'image');
  return {
    subscribe(listener) {
      const channel = new Channel<StudioEvent[]>();
      channel.onmessage = listener;
      return invoke('subscribe', { channel });
    },
    // An older app does not have this command, and so no optional abilities.
    abilities: () => invoke<Ability[]>('abilities').catch(() => []),
    submit: (job) => invoke('submit', { job }),
    estimate: (job) => invoke('estimate', { job }),
    cancel: (job) => invoke('cancel', { job }),
    cancelAll: () => invoke('cancel_all'),
    dismiss: (job) => invoke('dismiss', { job }),
    retry: (job) => invoke('retry', { job }),
    keep: (job) => invoke('keep', { job }),
    moveJob: (job, place) => invoke('move_job', { job, place }),
    pauseQueue: (isPaused) => invoke('pause_queue', { isPaused }),
    pausePlan: (job) => invoke('pause_plan', { job }),
    paintPlan: (job, plan) => invoke('paint_plan', { job, plan }),
    project: (project) => invoke('project', { project }),
    nodes: (nodes) => invoke('nodes', { nodes }),
    gallery: (filter, after, limit) => invoke('gallery', { filter, after, limit }),
    recipe: (node) => invoke('recipe', { node }),
    steps: (node) => invoke('steps', { node }),
    renameProject: (project, name) => invoke('rename_project', { project, name }),
    renameNode: (node, name) => invoke('rename_node', { node, name }),
    changeTags: (nodes, added, removed) => invoke('change_tags', { nodes, added, removed }),
    setStarred: (nodes, starred) => invoke('set_starred', { nodes, starred }),
    leaveOut: (turns, leftOut) => invoke('leave_out', { turns, leftOut }),
    trash: (nodes) => invoke('trash', { nodes }),
    restore: (nodes) => invoke('restore', { nodes }),
    emptyTrash: () => invoke('empty_trash'),
    replay: (node) => invoke('replay', { node }),
    verify: (node) => invoke('verify', { node }),
    openImages: () => invoke('open_images'),
    pasteImage: (bytes) => invoke('paste_image', bytes),
    copyImage: (node) => invoke('copy_image', { node }),
    exportImages: (nodes, format) => invoke('export_images', { nodes, format }),
    exportProject: (project) => invoke('export_project', { project }),
    openProject: () => invoke('open_project'),
    revealImage: (node) => invoke('reveal_image', { node }),
    dragOut: (nodes) => invoke('drag_out', { nodes }),
    hardware: () => invoke('hardware'),
    benchmark: () => invoke('benchmark'),
    installModel: (model, quantization, removesSource) => invoke('install_model', { model, quantization, removesSource }),
    pauseInstall: (model) => invoke('pause_install', { model }),
    cancelInstall: (model) => invoke('cancel_install', { model }),
    removeModel: (model, quantization) => invoke('remove_model', { model, quantization }),
    importModel: (kind) => invoke('import_model', { kind }),
    useModel: (choice) => invoke('use_model', { choice }),
    restartEngine: () => invoke('restart_engine'),
    changeSettings: (change) => invoke('change_settings', { change }),
    chooseFolder: (folder) => invoke('choose_folder', { folder }),
    chooseEngine: () => invoke('choose_engine'),
    resetFolder: (folder) => invoke('reset_folder', { folder }),
    resetEngine: () => invoke('reset_engine'),
    setToken: (token) => invoke('set_token', { token }),
    diagnostics: () => invoke('diagnostics'),
    about: () => invoke('about'),
    close: () => invoke('close'),
    imageUrl: (node) => address(origin, 'image', node),
    thumbnailUrl: (node) => address(origin, 'thumbnail', node),
    previewUrl: (preview) => address(origin, 'preview', preview),
  };
}
