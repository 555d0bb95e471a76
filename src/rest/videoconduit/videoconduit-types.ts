/** The operations that VideoConduit names, which are also the types of its jobs. */
export const videoConduitTypes = ['download', 'transcribe', 'translate', 'preview', 'fingerprint', 'comments'] as const;
