import { Channel, convertFileSrc, invoke } from '@tauri-apps/api/core';
import type { Host } from './host';
import type { StudioEvent } from './studio';

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
    cancel: (job) => invoke('cancel', { job }),
    dismiss: (job) => invoke('dismiss', { job }),
    openPictures: () => invoke('open_pictures'),
    pastePicture: (bytes) => invoke('paste_picture', bytes),
    exportPicture: (node) => invoke('export_picture', { node }),
    chooseModel: () => invoke('choose_model'),
    retryEngine: () => invoke('retry_engine'),
    pictureUrl: (node) => image('picture', node),
    thumbnailUrl: (node) => image('thumbnail', node),
    previewUrl: (preview) => image('preview', preview),
  };
}
