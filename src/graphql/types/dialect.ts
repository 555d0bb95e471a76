import type { Dialect } from '../../workspaces/dialect.ts';
import { builder } from '../builder.ts';

export const DialectType = builder.enumType('Dialect', {
  description: 'The API surface that a key speaks. A NATIVE key works with GraphQL and in every dialect; the others only in their own.',
  values: {
    NATIVE: { description: 'GraphQL, and every dialect, chosen by prefix, host or path.' },
    VIDOCU: { description: 'Vidocu: keys like vdo_live_….' },
    VIDEOCONDUIT: { description: 'VideoConduit: keys like vc_….' },
    VYDRA: { description: 'Vydra: keys like vydra_live_user_….' },
    REVID: { description: 'RevidAPI: keys in the header x-api-key.' },
  } satisfies Record<Dialect, { description: string }>,
});
