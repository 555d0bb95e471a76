/** The types that a built-in handler takes. Those of `needsEngine` it takes where ffmpeg is. */
export const builtInNames = [
  'demo',
  'download',
  'fingerprint',
  'preview',
  'media/export',
  'media/analysis',
  'media/concatenate',
  'media/trim',
  'media/audio',
  'transcribe',
  'translate',
  'media/transcribe',
  'media/voiceover',
] as const;

export type BuiltInName = (typeof builtInNames)[number];
